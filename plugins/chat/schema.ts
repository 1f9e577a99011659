/**
 * The shapes of what the methods of chat are given. They are closed, so that a typo is told and not ignored. What a schema
 * would refuse in words nobody understands (which parts a message may have, which key is a session key) is checked where
 * the conversation is read.
 */

const RUN_ID = { type: 'string', minLength: 1, maxLength: 128 } as const
const NAME = { type: 'string', minLength: 1, maxLength: 64 } as const
/** What model providers accept as the name of a function. */
const TOOL_NAME = { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$' } as const

const PART = {
  type: 'object',
  required: ['type'],
  additionalProperties: false,
  properties: {
    type: { enum: ['text', 'image', 'file', 'toolCall', 'toolResult'] },
    text: { type: 'string' },
    untrusted: { type: 'string', minLength: 1, maxLength: 128 },
    url: { type: 'string', maxLength: 8_192 },
    data: { type: 'string' },
    mimeType: { type: 'string', maxLength: 128 },
    name: { type: 'string', maxLength: 256 },
    id: { type: 'string', minLength: 1, maxLength: 256 },
    args: {},
    result: {},
    isError: { type: 'boolean' },
  },
} as const

const MESSAGE = {
  type: 'object',
  required: ['role', 'parts'],
  additionalProperties: false,
  properties: {
    role: { enum: ['system', 'user', 'assistant', 'tool'] },
    parts: { type: 'array', maxItems: 1_000, items: PART },
  },
} as const

const SAMPLING = {
  type: 'object',
  additionalProperties: false,
  properties: {
    temperature: { type: 'number', minimum: 0, maximum: 2 },
    topP: { type: 'number', minimum: 0, maximum: 1 },
    topK: { type: 'integer', minimum: 1 },
    maxTokens: { type: 'integer', minimum: 1 },
    stop: { type: 'array', maxItems: 16, items: { type: 'string', minLength: 1, maxLength: 256 } },
    seed: { type: 'integer' },
    presencePenalty: { type: 'number', minimum: -2, maximum: 2 },
    frequencyPenalty: { type: 'number', minimum: -2, maximum: 2 },
    thinking: { enum: ['low', 'medium', 'high'] },
    json: { type: 'object', additionalProperties: false, properties: { name: NAME, schema: { type: 'object' } } },
  },
} as const

const TOOL = {
  type: 'object',
  required: ['name', 'params'],
  additionalProperties: false,
  properties: { name: TOOL_NAME, description: { type: 'string', maxLength: 16_384 }, params: { type: 'object' } },
} as const

export const RUN = {
  type: 'object',
  additionalProperties: false,
  properties: {
    message: { type: 'string', minLength: 1 },
    // A request carries the whole conversation where a client keeps it itself.
    messages: { type: 'array', minItems: 1, maxItems: 5_000, items: MESSAGE },
    sessionKey: { type: 'string' },
    agentId: NAME,
    model: { type: 'string', minLength: 1, maxLength: 256 },
    history: { enum: ['session', 'given'] },
    sampling: SAMPLING,
    // 128 is what OpenAI's own endpoint takes.
    clientTools: { type: 'array', maxItems: 128, items: TOOL },
    toolChoice: {
      anyOf: [
        { enum: ['auto', 'none', 'required'] },
        { type: 'object', required: ['name'], additionalProperties: false, properties: { name: TOOL_NAME } },
      ],
    },
    stream: { type: 'boolean' },
    options: {
      type: 'object',
      description: 'Another spelling of `sampling.thinking`, `stream` and `model`.',
      additionalProperties: false,
      properties: { thinking: { enum: ['low', 'medium', 'high'] }, stream: { type: 'boolean' }, model: { type: 'string', minLength: 1, maxLength: 256 } },
    },
    channel: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' },
    metadata: {
      type: 'object',
      maxProperties: 64,
      propertyNames: { type: 'string', maxLength: 128 },
      additionalProperties: { type: 'string', maxLength: 16_384 },
    },
  },
} as const

export const ABORT = { type: 'object', required: ['runId'], additionalProperties: false, properties: { runId: RUN_ID } } as const

export const RESUME = {
  type: 'object',
  required: ['runId'],
  additionalProperties: false,
  properties: { runId: RUN_ID, after: { type: 'integer', minimum: 0 } },
} as const

export const HISTORY = {
  type: 'object',
  required: ['sessionKey'],
  additionalProperties: false,
  properties: {
    sessionKey: { type: 'string' },
    limit: { type: 'integer', minimum: 1, maximum: 1_000 },
    before: { type: 'string', pattern: '^[1-9][0-9]{0,14}$' },
  },
} as const
