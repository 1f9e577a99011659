/** The section `budgets`: what may be spent. */
const budget = {
  type: 'object',
  additionalProperties: false,
  properties: {
    tokens: { type: 'integer', minimum: 0, description: 'Prompt and completion together.' },
    usd: { type: 'number', minimum: 0, description: 'At the prices the provider states.' },
  },
} as const

export const budgets = {
  type: 'object',
  description: 'What may be spent before calls are refused.',
  default: {},
  additionalProperties: false,
  properties: { perDay: budget, perRun: budget },
} as const
