/**
 * The request of an agent run: `{message, sessionKey?, agentId?, options{thinking?, model?, stream?}, stream?}`. The options move
 * to where `chat.run` has them, and everything else passes by its own name, for the method's schema to check.
 */
import { isRpcError, refusalOf, RpcError, type Json, type JsonObject, type RouteDecoded, type RouteRequest } from '@isopod/plugin-api'

const THINKING: readonly Json[] = ['low', 'medium', 'high']
const OPTIONS = ['thinking', 'model', 'stream']

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
  const chosen = optionsOf(options)
  const asked = flag(stream, 'stream') ?? flag(chosen['stream'], 'options.stream')
  if (always && asked === false) throw wrong('stream', 'cannot be false here; POST /v1/agent/run answers in one piece')
  const streams = asked ?? always
  const state: RunState = { streams, runId: null, said: false }
  return { params: { channel: 'api', ...rest, ...modelIn(chosen), ...thinkingIn(chosen, rest['sampling']), stream: streams }, state, stream: streams }
}

function optionsOf(options: Json | undefined): JsonObject {
  if (options === undefined) return {}
  if (!isObject(options)) throw wrong('options', 'must be an object')
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name))
  if (unknown !== undefined) throw wrong(`options.${unknown}`, `is not known here; there are ${OPTIONS.join(', ')}`)
  return present(options)
}

function modelIn({ model }: JsonObject): JsonObject {
  if (model === undefined) return {}
  if (typeof model !== 'string') throw wrong('options.model', 'must be text')
  return { model }
}

function thinkingIn({ thinking }: JsonObject, sampling: Json | undefined): JsonObject {
  if (thinking === undefined) return {}
  if (!THINKING.includes(thinking)) throw wrong('options.thinking', 'must be low, medium or high')
  // Sampling of the wrong type is left as it is, for the method's own check to name.
  return sampling === undefined || isObject(sampling) ? { sampling: { ...sampling, thinking } } : {}
}

function flag(value: Json | undefined, path: string): boolean | undefined {
  if (value !== undefined && typeof value !== 'boolean') throw wrong(path, 'must be true or false')
  return value
}

function present(given: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null))
}

function wrong(param: string, problem: string): RpcError {
  return new RpcError('invalid_request', `${param} ${problem}`, { param })
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
