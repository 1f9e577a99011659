/**
 * The request of an agent run: `{message, sessionKey?, agentId?, options{thinking?, model?, stream?}, stream?}`. Whether
 * it streams is read here, where the URL has a say in it; everything else passes by its own name, for the method's schema to check.
 */
import {
  isObject,
  isRpcError,
  refusalOf,
  RpcError,
  wrongParam,
  type Json,
  type JsonObject,
  type RouteDecoded,
  type RouteRequest,
} from '@isopod/plugin-api'

/** What must be known of a run to spell it. Plain data. */
export type RunState = {
  readonly streams: boolean
  /** Null until the run is known. */
  readonly runId: string | null
  /** Whether a delta has been sent. */
  readonly said: boolean
}

/**
 * Never throws: what is wrong is answered as a refusal that names the field.
 * @param streams what the URL says; a URL that streams does so whatever the body says, and says so.
 */
export function decode({ body }: RouteRequest, streams: boolean): RouteDecoded {
  try {
    return decoded(body, streams)
  } catch (thrown) {
    if (!isRpcError(thrown)) throw thrown
    return { refuse: refusalOf(thrown) }
  }
}

function decoded(body: Json | undefined, always: boolean): RouteDecoded {
  if (!isObject(body)) throw new RpcError('invalid_request', 'Invalid request body: it must be a JSON object')
  // Clients send null for what they leave out.
  const { options, stream, ...rest } = present(body)
  const { stream: optional, ...others } = isObject(options) ? present(options) : {}
  const asked = flag(stream, 'stream') ?? flag(optional, 'options.stream')
  if (always && asked === false) throw wrongParam('stream', 'cannot be false here; POST /v1/agent/run answers in one piece')
  const streams = asked ?? always
  const state: RunState = { streams, runId: null, said: false }
  const chosen = options === undefined ? {} : { options: isObject(options) ? others : options }
  return { params: { channel: 'api', ...rest, ...chosen, stream: streams }, state, stream: streams }
}

function flag(value: Json | undefined, path: string): boolean | undefined {
  if (value !== undefined && typeof value !== 'boolean') throw wrongParam(path, 'must be true or false')
  return value
}

function present(given: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null))
}
