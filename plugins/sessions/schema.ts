/** The shapes of what the methods of sessions are given. The key's own rule is not here: its refusal has words of its own. */

const KEY = { type: 'string' } as const
const NAME = { type: 'string', minLength: 1, maxLength: 64 } as const
const RUN = { type: 'string', minLength: 1, maxLength: 128 } as const
const COUNT = { type: 'integer', minimum: 0 } as const

/** Parts are checked by whoever took them from outside; here they are only kept. */
const MESSAGES = {
  type: 'array',
  maxItems: 900,
  items: {
    type: 'object',
    required: ['role', 'parts'],
    additionalProperties: false,
    properties: {
      role: { enum: ['system', 'user', 'assistant', 'tool'] },
      parts: { type: 'array', items: { type: 'object', required: ['type'], properties: { type: { type: 'string' } } } },
    },
  },
} as const

export const LIST = {
  type: 'object',
  additionalProperties: false,
  properties: { limit: { type: 'integer', minimum: 1, maximum: 1_000 }, after: { type: 'string', maxLength: 128 }, agentId: NAME, channel: NAME },
} as const

export const GET = {
  type: 'object',
  required: ['sessionKey'],
  additionalProperties: false,
  properties: {
    sessionKey: KEY,
    limit: { type: 'integer', minimum: 1, maximum: 1_000 },
    before: { type: 'string', pattern: '^[1-9][0-9]{0,14}$' },
  },
} as const

export const ONE = { type: 'object', required: ['sessionKey'], additionalProperties: false, properties: { sessionKey: KEY } } as const

export const PATCH = {
  type: 'object',
  required: ['sessionKey'],
  additionalProperties: false,
  properties: { sessionKey: KEY, title: { type: 'string', maxLength: 200 }, agentId: NAME },
} as const

export const BEGIN = {
  type: 'object',
  required: ['sessionKey', 'runId', 'messages', 'history'],
  additionalProperties: false,
  properties: {
    sessionKey: KEY,
    agentId: NAME,
    channel: NAME,
    runId: RUN,
    messages: MESSAGES,
    metadata: { type: 'object', additionalProperties: { type: 'string' } },
    history: { type: 'integer', minimum: 0, maximum: 1_000 },
  },
} as const

export const COMMIT = {
  type: 'object',
  required: ['sessionKey', 'runId', 'messages', 'status'],
  additionalProperties: false,
  properties: {
    sessionKey: KEY,
    runId: RUN,
    messages: MESSAGES,
    status: { enum: ['done', 'failed', 'aborted'] },
    usage: {
      type: 'object',
      required: ['promptTokens', 'completionTokens', 'totalTokens'],
      additionalProperties: false,
      properties: { promptTokens: COUNT, completionTokens: COUNT, totalTokens: COUNT },
    },
    error: {
      type: 'object',
      required: ['code', 'message'],
      additionalProperties: false,
      properties: { code: { type: 'string' }, message: { type: 'string' } },
    },
  },
} as const

export const RUN_ID = { type: 'object', required: ['runId'], additionalProperties: false, properties: { runId: RUN } } as const
