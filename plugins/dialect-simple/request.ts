/**
 * What a frame asks for: a credential, a method by its name with its params, or a typed message. Only the shape is checked
 * here; whether a method exists and its params fit is for the gateway to say.
 */
import { isObject, isRpcError, refusalOf, wrongParam, type RpcError } from '@isopod/plugin-api'
import type { Decoded, Json, JsonObject, Wish } from '@isopod/plugin-api'
import { byName, byText } from './chat-params.ts'

/** An id comes back in the reply as it came; a longer one is no name for a request. */
const ID_CHARACTERS = 256

const CHATS = ['chat.run', 'chat.start']

type Meaning = (payload: JsonObject, conversation: Json) => { readonly method: string; readonly params: JsonObject }

/** Typed messages, and what each calls. */
const MESSAGES: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['chat', (payload, conversation) => ({ method: 'chat.run', params: byText(payload, conversation) })],
  ['status', () => ({ method: 'system.status', params: {} })],
  ['heartbeat_trigger', ({ dry_run: dryRun, ...rest }) => ({ method: 'heartbeat.trigger', params: dryRun === undefined ? rest : { dryRun, ...rest } })],
  ['skill_invoke', (payload) => ({ method: 'skill.invoke', params: payload })],
])

export function decode(frame: JsonObject, state: Json): Decoded {
  const id = idOf(frame['id'])
  if (id === undefined) return { state, wish: refused(null, wrongParam('id', `must be text of up to ${ID_CHARACTERS} characters, or a number below 2^53`)) }
  try {
    return { state, wish: wishOf(frame, id, state) }
  } catch (thrown) {
    if (!isRpcError(thrown)) throw thrown
    return { state, wish: refused(id, thrown) }
  }
}

function wishOf(frame: JsonObject, id: Json, conversation: Json): Wish {
  const { type, method } = frame
  if (type === 'auth') return { do: 'auth', id, ...credential(frame) }
  if (method !== undefined) return called(method, objectIn(frame, 'params'), id, conversation)
  const message = typeof type === 'string' ? MESSAGES.get(type) : undefined
  if (!message) throw wrongParam('type', `must be one of auth, ${[...MESSAGES.keys()].join(', ')}, or the frame must name a method`)
  return { do: 'call', id, ...message(objectIn(frame, 'payload'), conversation) }
}

function called(method: Json, params: JsonObject, id: Json, conversation: Json): Wish {
  if (typeof method !== 'string' || method === '') throw wrongParam('method', 'must be the name of a method, such as "system.ping"')
  if (method === 'auth') return { do: 'auth', id, ...credential(params) }
  return { do: 'call', id, method, params: CHATS.includes(method) ? byName(params, conversation) : params }
}

function objectIn(frame: JsonObject, name: 'params' | 'payload'): JsonObject {
  const value = frame[name] ?? {}
  if (!isObject(value)) throw wrongParam(name, 'must be an object, or left out')
  return value
}

/** Nothing, or something that is no text, is a wrong credential like any other. */
function credential({ token, password }: JsonObject): { readonly token?: string; readonly password?: string } {
  if (typeof token === 'string') return { token }
  return typeof password === 'string' ? { password } : {}
}

/** The frame's id, null where it has none, undefined where it is nothing that could be echoed. */
function idOf(id: Json | undefined): Json | undefined {
  if (id === undefined || id === null) return null
  if (typeof id === 'string') return id.length <= ID_CHARACTERS ? id : undefined
  // An integer past 2^53 was rounded when the frame was read: its sender would wait for an id it never sent.
  return typeof id === 'number' && Math.abs(id) <= Number.MAX_SAFE_INTEGER ? id : undefined
}

function refused(id: Json, error: RpcError): Wish {
  return { do: 'refuse', id, refusal: refusalOf(error) }
}
