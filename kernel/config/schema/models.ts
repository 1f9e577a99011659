/** The section `models`: language models and who serves them. */
import { ids, secretText, secretValue } from './words.ts'

export const models = {
  type: 'object',
  description: 'Language models and who serves them.',
  default: {},
  additionalProperties: false,
  required: ['providers'],
  properties: {
    default: { type: 'string', minLength: 1, description: 'provider/model, for whoever names none.' },
    providers: {
      type: 'object',
      default: {},
      propertyNames: ids,
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        required: ['api'],
        properties: {
          api: { type: 'string', minLength: 1, description: 'The API it speaks: openai, anthropic, openai-compatible, or one that a plugin brings.' },
          apiKey: { ...secretValue, description: 'Its key.' },
          baseUrl: {
            type: 'string',
            pattern: '^https?://[^\\s]+$',
            accepts: 'an address that begins with http:// or https://',
            description: 'Where it answers. Needed for openai-compatible.',
          },
          headers: { type: 'object', additionalProperties: secretText, description: 'Sent with each request.' },
          models: { type: 'array', items: { type: 'string', minLength: 1 }, description: 'Its models, where it cannot list them.' },
        },
      },
    },
  },
} as const
