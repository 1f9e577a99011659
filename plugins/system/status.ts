/** What the gateway is, in one look: version, age, where it listens and who may come in, and how its channels are. */
import { isRpcError, type Context, type GatewayFacts, type JsonObject, type Route, type TypedMethod } from '@isopod/plugin-api'
import type { ChannelList } from '../channels/contract.ts'

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
  handle: async (_params, ctx) => {
    const [facts, { channels, trouble }] = await Promise.all([ctx.gateway(), channelsOf(ctx)])
    return statusOf(facts, channels, trouble)
  },
}

export const statusRoute: Route = { verb: 'GET', path: '/status', call: 'system.status' }

interface Channels {
  /** The state of each, by id. */
  readonly channels: Readonly<Record<string, string>>
  readonly trouble?: string
}

/** A gateway without channels has none, and one whose channels cannot be asked still has a status. */
async function channelsOf(ctx: Context): Promise<Channels> {
  try {
    // The answer has this shape by its own contract.
    const { channels } = (await ctx.call('channel.list')) as unknown as ChannelList
    return { channels: Object.fromEntries(channels.map(({ id, status: state }) => [id, state])) }
  } catch (thrown) {
    if (!isRpcError(thrown)) throw thrown
    return thrown.code === 'method_not_found' ? { channels: {} } : { channels: {}, trouble: `The channels could not be asked: ${thrown.message}` }
  }
}

function statusOf({ version, uptimeMs, port, bind, auth, troubles }: GatewayFacts, channels: Channels['channels'], trouble: string | undefined): JsonObject {
  const shape = { version, uptime: Math.floor(uptimeMs / 1000), gateway: { port, bind, auth }, channels }
  const all = trouble === undefined ? troubles : [...troubles, trouble]
  return all.length === 0 ? { status: 'ok', ...shape } : { status: 'degraded', ...shape, troubles: all }
}
