/** The cheapest call there is: proves that a credential is good and that calls reach handlers. */
import type { TypedMethod } from '@isopod/plugin-api'

const PARAMS = { type: 'object', properties: {}, additionalProperties: false } as const

export const ping: TypedMethod<typeof PARAMS> = {
  name: 'system.ping',
  description: 'Answers at once, with the gateway\'s clock in milliseconds since 1970.',
  scope: 'read',
  params: PARAMS,
  result: {
    type: 'object',
    required: ['pong', 'ts'],
    properties: { pong: { const: true }, ts: { type: 'integer' } },
  },
  handle: (_params, ctx) => ({ pong: true, ts: ctx.now() }),
}
