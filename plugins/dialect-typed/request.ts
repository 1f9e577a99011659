/**
 * What a message asks for: `{"type","id"?,"payload"?,"timestamp"?}`. The shape of the message is checked here; what its words
 * may be is for the methods to say. The client's own timestamp is read as nothing: only the gateway's clock counts.
 */
import { isObject, isRpcError, refusalOf, RpcError } from '@isopod/plugin-api'
import type { Decoded, Json, JsonObject, Wish } from '@isopod/plugin-api'
import { chatParams } from './chat-params.ts'

/** An id comes back in the reply as it came; a longer one is no name for a message. */
const ID_CHARACTERS = 256

interface Meant {
  readonly method: string
  readonly params: (payload: JsonObject, conversation: Json) => JsonObject
}

/** The messages there are, and the method each calls. */
const MESSAGES: ReadonlyMap<string, Meant> = new Map<string, Meant>([
  ['chat', { method: 'chat.run', params: chatParams }],
  ['status', { method: 'system.status', params: () => ({}) }],
  ['heartbeat_trigger', { method: 'heartbeat.trigger', params: heartbeatParams }],
  ['skill_invoke', { method: 'skill.invoke', params: skillParams }],
])

export const TYPES: readonly string[] = [...MESSAGES.keys()]

const WRONG_ID = new RpcError(
  'invalid_request',
  `id must be text of up to ${ID_CHARACTERS} characters, or a number below 2^53, so that the reply can carry it as it came`,
  { param: 'id' },
)

export function decode(frame: JsonObject, state: Json): Decoded {
  const id = idOf(frame['id'])
  if (id === undefined) return { state, wish: refused(null, WRONG_ID) }
  try {
    return { state, wish: wishOf(frame, id, state) }
  } catch (thrown) {
    if (!isRpcError(thrown)) throw thrown
    return { state, wish: refused(id, thrown) }
  }
}

function wishOf(frame: JsonObject, id: Json, conversation: Json): Wish {
  const { method, params } = meant(frame['type'])
  const payload = frame['payload'] ?? {}
  if (!isObject(payload)) throw new RpcError('invalid_request', 'payload must be an object', { param: 'payload' })
  return { do: 'call', id, method, params: params(payload, conversation) }
}

function meant(type: Json | undefined): Meant {
  const known = `there are ${TYPES.join(', ')}`
  if (typeof type !== 'string') throw new RpcError('invalid_request', `type must name a message: ${known}`, { param: 'type' })
  if (type === 'auth') {
    throw new RpcError('invalid_request', 'auth is the first frame of a socket or none: open another one for it', { param: 'type' })
  }
  const found = MESSAGES.get(type)
  if (!found) {
    throw new RpcError('method_not_found', `There is no message ${JSON.stringify(type.slice(0, 64))}; ${known}`, { param: 'type' })
  }
  return found
}

function heartbeatParams({ dry_run: dryRun, ...rest }: JsonObject): JsonObject {
  if (dryRun !== undefined && typeof dryRun !== 'boolean') throw wrong('dry_run', 'must be true or false')
  refuseUnknown(rest, 'dry_run')
  return dryRun === undefined ? {} : { dryRun }
}

function skillParams({ skill, args, ...rest }: JsonObject): JsonObject {
  if (typeof skill !== 'string' || skill === '') throw wrong('skill', 'must be the name of a skill')
  refuseUnknown(rest, 'skill, args')
  return args === undefined ? { skill } : { skill, args }
}

function refuseUnknown(rest: JsonObject, known: string): void {
  const [name] = Object.keys(rest)
  if (name !== undefined) throw wrong(name, `is not known here; there are ${known}`)
}

/** The message's id, null where it has none, undefined where it is nothing that could be echoed. */
function idOf(id: Json | undefined): Json | undefined {
  if (id === undefined || id === null) return null
  if (typeof id === 'string') return id.length <= ID_CHARACTERS ? id : undefined
  // An integer past 2^53 was rounded when the frame was read: its sender would wait for an id it never sent.
  return typeof id === 'number' && Math.abs(id) <= Number.MAX_SAFE_INTEGER ? id : undefined
}

function wrong(field: string, problem: string): RpcError {
  return new RpcError('invalid_request', `payload.${field} ${problem}`, { param: `payload.${field}` })
}

function refused(id: Json, error: RpcError): Wish {
  return { do: 'refuse', id, refusal: refusalOf(error) }
}
