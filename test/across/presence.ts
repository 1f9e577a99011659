/** What a plugin contributes, and how each such thing is asked whether it is there: as a client would, and by what it answers. */
import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { JsonObject } from '@isopod/plugin-api'
import { RpcSocket, type StartedGateway } from '../main-job/started.ts'

/** As `plugin.inspect` tells it. */
export interface Contributed {
  readonly id: string
  readonly methods: readonly string[]
  readonly routes: readonly string[]
  readonly dialects: readonly string[]
  readonly tools: readonly string[]
  readonly models: readonly string[]
  readonly channels: readonly string[]
}

export interface Thing {
  readonly name: string
  isThere(gateway: StartedGateway): Promise<boolean>
}

/** Something said in a dialect by a client without a credential at the upgrade, and how this dialect alone answers it. */
interface Exchange {
  readonly frames: (token: string) => readonly JsonObject[]
  readonly isAnswered: (frame: JsonObject) => boolean
}

/** A dialect that is missing here cannot be asked, and the test says so. */
const EXCHANGES: Readonly<Record<string, Exchange>> = {
  rpc: {
    frames: (token) => [{ id: 1, method: 'auth', params: { token } }, { id: 2, method: 'plugin.list' }],
    isAnswered: ({ id, ok }) => id === 2 && ok === true,
  },
  typed: { frames: () => [{ type: 'status' }], isAnswered: ({ type, timestamp }) => type === 'error' && timestamp !== undefined },
  simple: { frames: (token) => [{ type: 'auth', token }, { type: 'none', id: 'x' }], isAnswered: ({ type, id, timestamp }) => type === 'error' && id === 'x' && timestamp !== undefined },
  native: { frames: () => [{ type: 'req', id: '1', method: 'connect' }], isAnswered: ({ type }) => type === 'res' },
}

/** Everything a plugin brings. */
export function thingsOf({ methods, routes, dialects, tools, models, channels }: Contributed): readonly Thing[] {
  const listed = (list: string, field: string, by: string) => (name: string): Thing => ({
    name: `${field} ${name}`,
    isThere: async (gateway) => {
      const { result } = await called(gateway, list)
      return ((result?.[field] ?? []) as JsonObject[]).some((row) => row[by] === name)
    },
  })
  return [
    ...methods.map((name): Thing => ({ name: `method ${name}`, isThere: async (gateway) => (await called(gateway, name)).code !== 'METHOD_NOT_FOUND' })),
    ...routes.map((line): Thing => ({ name: `route ${line}`, isThere: (gateway) => serves(gateway, line) })),
    ...dialects.map((name): Thing => ({ name: `dialect ${name}`, isThere: (gateway) => speaks(gateway, name) })),
    ...tools.map(listed('tool.list', 'tools', 'name')),
    ...models.map((kind): Thing => ({ name: `models of ${kind}`, isThere: (gateway) => offers(gateway, kind) })),
    ...channels.map(listed('channel.list', 'channels', 'id')),
  ]
}

/** Calls a method by whichever road is open: any one of them may be what is switched off. */
export async function called(gateway: StartedGateway, method: string, params: JsonObject = {}): Promise<{ readonly code?: string; readonly result?: JsonObject }> {
  const reply = await gateway.fetch('/api/rpc', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ method, params }) })
  const text = await reply.text()
  if (isNowhere(reply.status, text)) return overSocket(gateway, method, params)
  // The endpoint answers so, by its own description.
  const { data, error } = JSON.parse(text) as { data?: JsonObject; error?: { code: string } }
  return error ? { code: error.code } : { result: data ?? {} }
}

async function overSocket(gateway: StartedGateway, method: string, params: JsonObject): Promise<{ readonly code?: string; readonly result?: JsonObject }> {
  const socket = await gateway.socket()
  try {
    const { payload, error } = await socket.call(method, params)
    return error ? { code: String((error as JsonObject)['code']) } : { result: payload as JsonObject }
  } finally {
    socket.close()
  }
}

/** A kind of provider offers its own model, or what the config of the test gives the provider of its name. */
async function offers(gateway: StartedGateway, kind: string): Promise<boolean> {
  const { result } = await called(gateway, 'model.list')
  return ((result?.['models'] ?? []) as JsonObject[]).some(({ id }) => id === `${kind}/any` || id === `isopod/${kind}`)
}

async function serves(gateway: StartedGateway, line: string): Promise<boolean> {
  const [verb = '', path = ''] = line.split(' ')
  const init = verb === 'GET' || verb === 'DELETE' ? {} : { headers: { 'content-type': 'application/json' }, body: '{}' }
  const reply = await gateway.fetch(path.replace(/\{\w+\+?\}/g, 'x'), { method: verb, ...init })
  return !isNowhere(reply.status, await reply.text())
}

/** What the gateway says of a URL that no plugin serves, and of no other. */
function isNowhere(status: number, text: string): boolean {
  return status === 404 && text.includes('There is nothing at')
}

async function speaks(gateway: StartedGateway, dialect: string): Promise<boolean> {
  const exchange = EXCHANGES[dialect]
  if (!exchange) throw new Error(`nothing is known to say in the dialect ${dialect}: say something in EXCHANGES`)
  const socket = new WebSocket(gateway.url.replace('http', 'ws'))
  const heard = new RpcSocket(socket)
  await once(socket, 'open')
  try {
    for (const frame of exchange.frames(gateway.token)) socket.send(JSON.stringify(frame))
    const answer = await heard.first((frame) => exchange.isAnswered(frame) || frame['ok'] === false || frame['type'] === 'error').catch(() => undefined)
    return answer !== undefined && exchange.isAnswered(answer)
  } finally {
    socket.terminate()
  }
}
