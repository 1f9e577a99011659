/** What the gateway is, in one look: version, age, where it listens and who may come in, and how its channels are. */
import type { Context, GatewayFacts, JsonObject, Route, TypedMethod } from '@isopod/plugin-api'

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
  handle: async (_params, ctx) => statusOf(await ctx.gateway(), ctx),
}

export const statusRoute: Route = { verb: 'GET', path: '/status', call: 'system.status' }

function statusOf(facts: GatewayFacts, ctx: Context): JsonObject {
  const { version, port, bind, auth, troubles } = facts
  const shape = { version, uptime: uptimeOf(facts, ctx.now()), gateway: { port, bind, auth }, channels: {} }
  return troubles.length === 0 ? { status: 'ok', ...shape } : { status: 'degraded', ...shape, troubles }
}

/** Whole seconds. Never below 0, whichever way the machine's clock was set meanwhile. */
function uptimeOf(facts: GatewayFacts, now: number): number {
  return Math.max(0, Math.floor((now - facts.startedAt) / 1000))
}
