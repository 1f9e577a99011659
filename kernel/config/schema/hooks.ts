/** The section `hooks`: webhooks that other services call. */
import { secretValue } from './words.ts'

const mapping = {
  type: 'object',
  additionalProperties: true,
  properties: {
    path: { type: 'string', description: 'The last part of the address, below hooks.path.' },
    messageTemplate: { type: 'string' },
    match: { type: 'object', additionalProperties: true, properties: { path: { type: 'string' }, source: { type: 'string' } } },
    action: {
      anyOf: [
        { enum: ['agent', 'wake'] },
        {
          type: 'object',
          additionalProperties: true,
          properties: {
            kind: { enum: ['agent', 'wake'] },
            message: { type: 'string' },
            channel: { type: 'string' },
            to: { type: 'string' },
          },
        },
      ],
      accepts: 'agent, wake, or { kind, message, channel, to }',
    },
    signature: {
      type: 'object',
      additionalProperties: true,
      description: 'Asked for in place of the token.',
      properties: {
        scheme: { type: 'string', description: 'Who signs: github, stripe, slack, standard or hmac.' },
        secret: { ...secretValue, description: 'What it signs with.' },
      },
    },
  },
} as const

export const hooks = {
  type: 'object',
  description: 'Webhooks that other services call.',
  default: {},
  additionalProperties: false,
  required: ['enabled', 'path', 'maxBodyBytes', 'allowRequestSessionKey', 'mappings'],
  properties: {
    enabled: { type: 'boolean', default: false, description: 'Off answers 404.' },
    token: { ...secretValue, description: 'Their own credential. The gateway\'s is not accepted here.' },
    path: {
      type: 'string',
      pattern: '^/[^\\s?#]*$',
      default: '/hooks',
      accepts: 'a path that begins with /',
      description: 'Where they live.',
    },
    maxBodyBytes: { type: 'integer', minimum: 1, default: 262_144, description: 'The largest body, in bytes.' },
    allowRequestSessionKey: { type: 'boolean', default: false, description: 'Whether a caller may name a session outside hook:.' },
    mappings: { type: 'array', items: mapping, default: [], description: 'Which hook does what.' },
  },
} as const
