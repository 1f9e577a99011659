/** What the gateway is, in one look: version, age, where it listens and who may come in, and how its channels are. */
import type { GatewayFacts, JsonObject, Route, TypedMethod } from '@isopod/plugin-api'

// Further parameters are let through: the URL's query arrives here as it is.
const PARAMS = { type: 'object', properties: {} } as const

export const status: TypedMethod<typeof PARAMS> = {
  name: 'system.status',
  description: 'Version, uptime in seconds, address, kind of authentication, and the state of each channel.',
  scope: 'read',
  params: PARAMS,
  result: {
    type: 'object',
    required: ['status', 'version', 'uptime', 'gateway', 'channels'],
    properties: {
      status: { enum: ['ok', 'degraded'] },
      version: { type: 'string' },
      uptime: { type: 'integer', minimum: 0 },
      gateway: {
        type: 'object',
        required: ['port', 'bind', 'auth'],
        properties: { port: { type: 'integer' }, bind: { type: 'string' }, auth: { enum: ['token', 'password', 'none'] } },
      },
      channels: { type: 'object', additionalProperties: { type: 'string' } },
      troubles: { type: 'array', items: { type: 'string' } },
    },
  },
  handle: async (_params, ctx) => statusOf(await ctx.gateway()),
}

export const statusRoute: Route = { verb: 'GET', path: '/status', call: 'system.status' }

function statusOf({ version, uptimeMs, port, bind, auth, troubles }: GatewayFacts): JsonObject {
  const shape = { version, uptime: Math.floor(uptimeMs / 1000), gateway: { port, bind, auth }, channels: {} }
  return troubles.length === 0 ? { status: 'ok', ...shape } : { status: 'degraded', ...shape, troubles }
}
