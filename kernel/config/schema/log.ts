/** The section `log`: what is written down, and where. */
export const log = {
  type: 'object',
  description: 'What is written down, and where.',
  default: {},
  additionalProperties: false,
  required: ['level'],
  properties: {
    level: { enum: ['debug', 'info', 'warn', 'error'], default: 'info', description: 'The least that is written.' },
    file: {
      anyOf: [{ type: 'string', minLength: 1 }, { const: false }],
      accepts: 'a file name, or false for none',
      description: 'Unless said: logs/gateway.log in the home.',
    },
    pretty: { type: 'boolean', description: 'Lines for people instead of JSON. Unless said: on a terminal.' },
  },
} as const
