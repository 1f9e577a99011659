/**
 * What a frame asks for: `{"id","method","params"}`. The shape of the frame is checked here; whether the method exists and
 * its params fit is for the gateway to say. `auth` is no method but the credential itself, for clients (browsers above
 * all) that cannot set a header at the upgrade and should not put a secret into a URL.
 */
import { isObject, isRpcError, refusalOf, RpcError } from '@isopod/plugin-api'
import type { Decoded, Json, JsonObject, Wish } from '@isopod/plugin-api'

/** An id comes back in the reply as it came; a longer one is no name for a request. */
const ID_CHARACTERS = 256

/** A chat that says no channel of its own has come by the socket. */
const CHATS = ['chat.run', 'chat.start']

export function decode(frame: JsonObject): Decoded {
  const id = idOf(frame['id'])
  if (id === undefined) return { state: null, wish: refused(null, WRONG_ID) }
  try {
    return { state: null, wish: wishOf(frame, id) }
  } catch (thrown) {
    if (!isRpcError(thrown)) throw thrown
    return { state: null, wish: refused(id, thrown) }
  }
}

const WRONG_ID = new RpcError(
  'invalid_request',
  `id must be text of up to ${ID_CHARACTERS} characters, or a number below 2^53, so that the reply can carry it as it came`,
  { param: 'id' },
)

function wishOf(frame: JsonObject, id: Json): Wish {
  if (frame['type'] === 'auth' && !('method' in frame)) return { do: 'auth', id, ...credential(frame) }
  const method = frame['method']
  if (typeof method !== 'string' || method === '') {
    throw new RpcError('invalid_request', 'method must be the name of a method, such as "system.ping"', { param: 'method' })
  }
  const params = frame['params'] ?? {}
  if (!isObject(params)) throw new RpcError('invalid_request', 'params must be an object, or left out', { param: 'params' })
  if (method === 'auth') return { do: 'auth', id, ...credential(params) }
  return { do: 'call', id, method, params: CHATS.includes(method) ? { channel: 'ws', ...params } : params }
}

/** The frame's id, null where it has none, undefined where it is nothing that could be echoed. */
function idOf(id: Json | undefined): Json | undefined {
  if (id === undefined || id === null) return null
  if (typeof id === 'string') return id.length <= ID_CHARACTERS ? id : undefined
  return typeof id === 'number' && echoes(id) ? id : undefined
}

/** An integer past 2^53 was rounded when the frame was read: its sender would wait for good for an id it never sent. */
function echoes(id: number): boolean {
  return Number.isFinite(id) && Math.abs(id) <= Number.MAX_SAFE_INTEGER
}

/** The frame's own, or the params'. */
function credential({ token, password }: JsonObject): { token: string } | { password: string } {
  if (typeof token === 'string' && password === undefined) return { token }
  if (typeof password === 'string' && token === undefined) return { password }
  throw new RpcError('invalid_request', 'auth takes a token or a password, as text, and not both', { param: 'params' })
}

function refused(id: Json, error: RpcError): Wish {
  return { do: 'refuse', id, refusal: refusalOf(error) }
}
