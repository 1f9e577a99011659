/**
 * What the rows take and answer, for the description of the API: the fields that this gateway reads. Clients of this API send null
 * for what they leave out, and many fields more, so nothing here forbids either. The rows themselves read by hand.
 */
import type { Schema } from '@isopod/plugin-api'

const COUNT = { type: 'integer', minimum: 0 } as const
const TEXT = { type: 'string' } as const
const TEXT_OR_NULL = { type: ['string', 'null'] } as const
const NUMBER_OR_NULL = { type: ['number', 'null'] } as const
const INTEGER_OR_NULL = { type: ['integer', 'null'] } as const

const MESSAGE = {
  type: 'object',
  required: ['role'],
  properties: {
    role: { enum: ['system', 'developer', 'user', 'assistant', 'tool'] },
    content: { type: ['string', 'array', 'null'], description: 'Text, or a list of parts: text, and of a user also images, files and sounds.', items: { type: 'object' } },
    tool_calls: { type: ['array', 'null'], items: { type: 'object' } },
    tool_call_id: TEXT_OR_NULL,
  },
} as const

export const COMPLETION_BODY: Schema = {
  type: 'object',
  required: ['model', 'messages'],
  properties: {
    model: { type: 'string', minLength: 1, description: 'An agent (`openclaw`), or a model that is asked of the default agent.' },
    messages: { type: 'array', minItems: 1, items: MESSAGE },
    stream: { type: ['boolean', 'null'] },
    stream_options: { type: ['object', 'null'], properties: { include_usage: { type: ['boolean', 'null'] } } },
    user: { ...TEXT_OR_NULL, description: 'One session for each agent and user; a fresh one without it.' },
    temperature: NUMBER_OR_NULL,
    top_p: NUMBER_OR_NULL,
    max_tokens: INTEGER_OR_NULL,
    max_completion_tokens: INTEGER_OR_NULL,
    stop: { type: ['string', 'array', 'null'], items: TEXT },
    seed: INTEGER_OR_NULL,
    tools: { type: ['array', 'null'], items: { type: 'object' } },
    tool_choice: { type: ['string', 'object', 'null'] },
    metadata: { type: ['object', 'null'], additionalProperties: TEXT },
  },
}

const CHOICE = {
  type: 'object',
  required: ['index', 'message', 'finish_reason'],
  properties: {
    index: { const: 0 },
    message: {
      type: 'object',
      required: ['role', 'content'],
      properties: { role: { const: 'assistant' }, content: TEXT_OR_NULL, tool_calls: { type: 'array', items: { type: 'object' } } },
    },
    finish_reason: TEXT,
  },
} as const

export const COMPLETION_REPLY: Schema = {
  type: 'object',
  required: ['id', 'object', 'created', 'model', 'choices', 'usage'],
  properties: {
    id: { type: 'string', pattern: '^chatcmpl_' },
    object: { const: 'chat.completion' },
    created: COUNT,
    model: TEXT,
    choices: { type: 'array', minItems: 1, maxItems: 1, items: CHOICE },
    usage: {
      type: 'object',
      required: ['prompt_tokens', 'completion_tokens', 'total_tokens'],
      properties: { prompt_tokens: COUNT, completion_tokens: COUNT, total_tokens: COUNT },
    },
  },
}

export const MODEL_REPLY = {
  type: 'object',
  required: ['id', 'object', 'created', 'owned_by'],
  properties: { id: TEXT, object: { const: 'model' }, created: COUNT, owned_by: TEXT },
} as const

export const MODELS_REPLY: Schema = {
  type: 'object',
  required: ['object', 'data'],
  properties: { object: { const: 'list' }, data: { type: 'array', items: MODEL_REPLY } },
}
