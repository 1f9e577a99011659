/**
 * The ways to speak on a WebSocket, a row each: how the socket is opened, what is said first, and what a client of that dialect
 * says. A dialect that comes later is fuzzed by adding its row; one that is not there is answered as an unknown frame, which
 * has to hold as well.
 */
import fc from 'fast-check'
import type { Json } from '@isopod/plugin-api'
import { bent, jsonText, oddJson, oddObject, oddText } from './odd-json.ts'
import type { Surface } from './surface.ts'

export interface Tongue {
  readonly name: string
  readonly path: string
  /** Of the upgrade; `TOKEN` stands for the gateway's. */
  readonly headers: readonly string[]
  /** The first frame, with the same word in it. */
  readonly first?: Json
  readonly frames: fc.Arbitrary<Json>
  /** What is asked at the end. Whoever answers echoes its id, `sentinel`, or refuses it. */
  readonly last: Json
}

export const SENTINEL = 'sentinel'
const BEARER = ['Authorization: Bearer TOKEN']

/** Every row, for what a gateway has. */
export function tongues({ methods }: Surface): readonly Tongue[] {
  const name = fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...methods.map((method) => method.name)) }, { weight: 1, arbitrary: oddText })
  const request = fc.record({ id: oddJson, method: name, params: oddObject })
  const native = fc.record({ type: fc.constant('req'), id: oddText, method: name, params: oddObject })
  const auth = fc.constantFrom<Json>({ type: 'auth', token: 'wrong' }, { type: 'auth', password: 'wrong' }, { type: 'auth' }, { id: 1, method: 'auth', params: { token: 'wrong' } }, { id: 1, method: 'auth', params: {} })
  const rpc = fc.oneof({ weight: 8, arbitrary: bent(request) }, { weight: 1, arbitrary: auth })
  const both = fc.oneof(bent(typed), rpc)
  const asked = { id: SENTINEL, method: 'system.ping' }
  const status = { type: 'status', id: SENTINEL, payload: {} }
  return [
    { name: 'rpc', path: '/', headers: BEARER, frames: rpc, last: asked },
    { name: 'rpc by subprotocol', path: '/', headers: ['Sec-WebSocket-Protocol: isopod.v1'], first: { id: 0, method: 'auth', params: { token: 'TOKEN' } }, frames: rpc, last: asked },
    { name: 'rpc without a credential', path: '/', headers: [], frames: rpc, last: asked },
    { name: 'typed', path: '/', headers: BEARER, frames: both, last: status },
    { name: 'typed without a credential', path: '/', headers: [], frames: both, last: status },
    { name: 'simple', path: '/ws', headers: [], first: { type: 'auth', token: 'TOKEN' }, frames: both, last: asked },
    { name: 'simple, credential at the upgrade', path: '/ws?token=TOKEN', headers: [], frames: both, last: status },
    { name: 'native', path: '/', headers: ['Sec-WebSocket-Protocol: openclaw.v4', ...BEARER], frames: bent(native), last: { type: 'req', ...asked } },
    { name: 'native by its first frame', path: '/', headers: BEARER, first: CONNECT, frames: bent(native), last: { type: 'req', ...asked } },
  ]
}

/** The frames of seed 003, and those that only a gateway sends. */
const typed: fc.Arbitrary<Json> = fc.oneof(
  fc.record({
    type: fc.constant('chat'),
    id: oddJson,
    payload: fc.record({ text: oddText, context: oddJson, options: fc.record({ model: oddText, no_memory: fc.boolean() }, { requiredKeys: [] }) }, { requiredKeys: ['text'] }),
    timestamp: fc.constantFrom('2026-01-01T00:00:00Z', 'never'),
  }, { requiredKeys: ['type', 'payload'] }),
  fc.record({ type: fc.constant('heartbeat_trigger'), id: oddText, payload: fc.record({ dry_run: fc.boolean() }) }),
  fc.record({ type: fc.constant('status'), id: oddText, payload: oddObject }),
  fc.record({ type: fc.constant('skill_invoke'), id: oddText, payload: fc.record({ skill: oddText, args: oddObject }) }),
  fc.record({ type: fc.constantFrom('response', 'tool_call', 'error', 'connected', 'req', 'res', 'event', 'auth'), id: oddText, payload: oddObject }),
)

const CONNECT: Json = {
  type: 'req', id: 'connect', method: 'connect',
  params: { minProtocol: 3, maxProtocol: 4, client: { id: 'cli', version: '1', platform: 'linux', mode: 'cli' }, role: 'operator', auth: { token: 'TOKEN' } },
}

/** A row without what makes its frames, as it stands in a failure. */
export type Opened = Omit<Tongue, 'frames'>

export function opened({ frames: _, ...rest }: Tongue): Opened {
  return rest
}

/** What is said on a socket, as text: the dialect's own, what bends it, and what is no dialect's. */
export function messagesOf({ frames }: Tongue): fc.Arbitrary<readonly string[]> {
  const hopeless = fc.oneof(oddText, jsonText(oddJson), fc.constantFrom('{"a":'.repeat(70_000), ' '.repeat(70_000), '[]'))
  const message = fc.oneof({ weight: 8, arbitrary: jsonText(frames) }, { weight: 1, arbitrary: hopeless })
  return fc.array(message, { minLength: 1, maxLength: 6 })
}

/** A JSON text with the gateway's token where the word for it stands. */
export function withToken(text: string, token: string): string {
  return text.replaceAll('TOKEN', token)
}
