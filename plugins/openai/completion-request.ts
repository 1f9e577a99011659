/**
 * A chat completion request, made into the neutral params of `chat.run`. Fields this gateway does not know are passed over,
 * because clients of this API send many; what would change the answer and cannot be done here is refused by name.
 */
import { isObject, isRpcError, refusalOf, RpcError, wrongParam } from '@isopod/plugin-api'
import type { JsonObject, Message, RouteDecoded, RouteRequest } from '@isopod/plugin-api'
import type { ChatRunParams } from '../chat/contract.ts'
import { bounded, flag, isAbsent, object, optional, present, text } from './field.ts'
import { messagesOf } from './message.ts'
import { samplingOf } from './sampling.ts'
import { sessionKeyOf } from './session-key.ts'
import { toolChoiceOf, toolsOf } from './client-tool.ts'

/** Fields of `metadata`, and the lengths of their names and texts: the API's own numbers. */
const METADATA = 16

/** What must be known of the request to spell its answer. Plain data: it may be kept on the other side of a wall. */
export type CompletionState = {
  /** As requested; every answer echoes it. */
  readonly model: string
  readonly stream: boolean
  readonly includeUsage: boolean
  /** The completion's id and second, once the run is known. */
  readonly id: string | null
  readonly created: number
  /** Whether the first chunk, the role, has been sent. */
  readonly begun: boolean
  /** Whether text of the answer has been streamed, and which tool calls. */
  readonly said: boolean
  readonly calls: readonly string[]
}

/** Never throws: what is wrong with the request is answered as a refusal that names the field. */
export function decode(request: RouteRequest): RouteDecoded {
  try {
    if (!isObject(request.body)) throw new RpcError('invalid_request', 'Invalid request body: it must be a JSON object')
    return decoded(request.body)
  } catch (thrown) {
    if (!isRpcError(thrown)) throw thrown
    return { refuse: refusalOf(thrown) }
  }
}

function decoded(body: JsonObject): RouteDecoded {
  refuseWhatIsNotDone(body)
  const model = modelOf(body)
  const stream = optional(body['stream'], 'stream', flag) ?? false
  const unspoken = { id: null, created: 0, begun: false, said: false, calls: [] }
  const state: CompletionState = { model, stream, includeUsage: stream && includeUsage(body), ...unspoken }
  // The params are JSON by their own type; an interface only lacks the index signature.
  return { params: paramsOf(body, model, stream) as JsonObject, state, stream }
}

function paramsOf(body: JsonObject, model: string, stream: boolean): ChatRunParams {
  const messages = messagesOf(body['messages'], 'messages')
  return present<ChatRunParams>({
    model,
    messages,
    stream,
    history: isWhole(messages) ? 'given' : 'session',
    sessionKey: sessionKeyOf(model, optional(body['user'], 'user', text)),
    sampling: samplingOf(body),
    clientTools: toolsOf(body['tools'], 'tools'),
    toolChoice: toolChoiceOf(body['tool_choice'], 'tool_choice'),
    metadata: metadataOf(body),
    channel: 'openai',
  })
}

function modelOf(body: JsonObject): string {
  return bounded(256, 1)(body['model'], 'model')
}

/** A request that brings what was answered before brings the whole conversation, and none of it is looked up. */
function isWhole(messages: readonly Message[]): boolean {
  return messages.some(({ role }) => role === 'assistant' || role === 'tool')
}

function includeUsage(body: JsonObject): boolean {
  const options = optional(body['stream_options'], 'stream_options', object)
  return optional(options?.['include_usage'], 'stream_options.include_usage', flag) ?? false
}

function metadataOf(body: JsonObject): Record<string, string> | undefined {
  const given = Object.entries(optional(body['metadata'], 'metadata', object) ?? {})
  if (given.length > METADATA) throw wrongParam('metadata', `may hold up to ${METADATA} fields`)
  if (given.length === 0) return undefined
  return Object.fromEntries(given.map(([name, value]) => [bounded(64)(name, `metadata.${name}`), bounded(512)(value, `metadata.${name}`)]))
}

function refuseWhatIsNotDone(body: JsonObject): void {
  if (!isAbsent(body['n']) && body['n'] !== 1) throw wrongParam('n', 'must be 1: this gateway answers with one choice')
  for (const field of ['functions', 'function_call']) {
    if (!isAbsent(body[field])) throw wrongParam(field, 'is the old spelling of tools; send tools and tool_choice')
  }
}
