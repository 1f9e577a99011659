/** `POST /v1/agent/run` and `POST /v1/agent/run/stream`: one row read two ways. */
import type { Json, JsonObject, Route, RouteEncoded, RouteHappening, Schema } from '@isopod/plugin-api'
import type { ChatRunResult } from '../chat/contract.ts'
import { decode, type RunState } from './agent-request.ts'
import { streamed } from './agent-stream.ts'

const BODY: Schema = {
  type: 'object',
  required: ['message'],
  properties: {
    message: { type: 'string', minLength: 1 },
    sessionKey: { type: 'string', description: '1 to 256 printable characters; a fresh session without it.' },
    agentId: { type: 'string' },
    options: {
      type: 'object',
      properties: { thinking: { enum: ['low', 'medium', 'high'] }, model: { type: 'string' }, stream: { type: 'boolean' } },
    },
    stream: { type: 'boolean' },
  },
}

const COUNT = { type: 'integer', minimum: 0 } as const
const REPLY: Schema = {
  type: 'object',
  required: ['runId', 'sessionKey', 'response', 'usage'],
  properties: {
    runId: { type: 'string' },
    sessionKey: { type: 'string' },
    response: { type: 'string' },
    usage: {
      type: 'object',
      required: ['promptTokens', 'completionTokens', 'totalTokens'],
      properties: { promptTokens: COUNT, completionTokens: COUNT, totalTokens: COUNT },
    },
    toolCalls: { type: 'array', items: { type: 'object' }, description: 'Calls of the client\'s own tools, where there are any.' },
  },
}

export const agentRoutes: readonly Route[] = [
  row('/v1/agent/run', false, { summary: 'Runs one turn of an agent', streams: 'accepted' }),
  row('/v1/agent/run/stream', true, { summary: 'Runs one turn of an agent and streams it', streams: 'always' }),
]

function row(path: string, streams: boolean, said: { readonly summary: string; readonly streams: 'always' | 'accepted' }): Route {
  return { verb: 'POST', path, call: 'chat.run', decode: (request) => decode(request, streams), encode, describe: { ...said, body: BODY, reply: REPLY } }
}

/** A refusal before anything was streamed is spelled by the URL's family. */
function encode(what: RouteHappening, state: Json): RouteEncoded | undefined {
  // The state is what decode made of this very request.
  const known = state as unknown as RunState
  if (known.streams) return streamed(what, known)
  if (what.kind !== 'outcome' || !what.outcome.ok) return undefined
  // `chat.run` answers this shape: chat's own contract.
  return { body: whole(what.outcome.value as ChatRunResult) }
}

function whole({ runId, sessionKey, response, usage, toolCalls }: ChatRunResult): JsonObject {
  // Usage and calls are JSON by the contract; an interface only lacks the index signature.
  const body = { runId, sessionKey, response, usage: { ...usage } as JsonObject }
  return toolCalls.length === 0 ? body : { ...body, toolCalls: toolCalls as unknown as Json }
}
