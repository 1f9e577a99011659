/**
 * The two URLs, which are one: `{"method","params"?,"id"?}` is answered
 * `{"ok":true,"data"}`, with the id where there was one.
 */
import {
  isObject,
  isRpcError,
  refusalOf,
  RpcError,
  wrongParam,
  type Json,
  type Route,
  type RouteDecoded,
  type RouteRequest,
  type Schema,
} from '@isopod/plugin-api'

/** A chat that says no channel of its own has come over HTTP. */
const CHATS = ['chat.run', 'chat.start']

const BODY: Schema = {
  type: 'object',
  required: ['method'],
  properties: {
    method: { type: 'string', description: 'A method by its name; system.methods tells them.' },
    params: { type: 'object' },
    id: { anyOf: [{ type: 'string' }, { type: 'number' }], description: 'Comes back with the answer, as it came.' },
  },
}

const REPLY: Schema = {
  type: 'object',
  required: ['ok', 'data'],
  properties: { ok: { const: true }, data: { description: 'What the method answers.' }, id: { anyOf: [{ type: 'string' }, { type: 'number' }] } },
}

export const endpointRoutes: readonly Route[] = ['/api/endpoint', '/api/rpc'].map((path) => ({
  verb: 'POST',
  path,
  call: '*',
  describe: { summary: 'Calls a method by its name', body: BODY, reply: REPLY },
  decode,
  encode(what, id) {
    if (what.kind !== 'outcome' || !what.outcome.ok) return undefined
    // What a handler answered is JSON by contract, or nothing at all.
    const data = (what.outcome.value ?? null) as Json
    return { body: { ok: true, data, ...(id !== null && { id }) } }
  },
}))

/** Never throws: what is wrong is answered as a refusal that names the field. */
function decode({ body }: RouteRequest): RouteDecoded {
  try {
    return decoded(body)
  } catch (thrown) {
    if (!isRpcError(thrown)) throw thrown
    return { refuse: refusalOf(thrown) }
  }
}

function decoded(body: Json | undefined): RouteDecoded {
  if (!isObject(body)) throw new RpcError('invalid_request', 'Invalid request body: it must be a JSON object with a method')
  const { method, params = {}, id = null } = body
  if (typeof method !== 'string' || method === '') throw wrongParam('method', 'must be the name of a method')
  if (id !== null && typeof id !== 'string' && typeof id !== 'number') throw wrongParam('id', 'must be text or a number')
  const given = params ?? {}
  if (!isObject(given)) throw wrongParam('params', 'must be an object')
  return { method, params: CHATS.includes(method) ? { channel: 'api', ...given } : given, state: id }
}
