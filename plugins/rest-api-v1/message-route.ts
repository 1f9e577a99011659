/** `POST /api/v1/message`: the answer in one piece, as a stream of events, or only the promise of one. */
import type { GatewayEvent, Json, JsonObject, Outcome, Route, RouteEncoded, Schema } from '@isopod/plugin-api'
import type { ChatRunResult, ChatStarted } from '../chat/contract.ts'
import { flatError, renamedRefusal } from './flat-error.ts'
import { decode, type MessageState } from './message-request.ts'

const BODY: Schema = {
  type: 'object',
  required: ['channel', 'message'],
  additionalProperties: false,
  properties: {
    channel: { type: 'string', description: 'Where the message comes from: api, telegram, internal, ...' },
    message: { type: 'string', minLength: 1 },
    conversation_id: { type: 'string', description: 'A new conversation without it.' },
    wait_for_response: { type: 'boolean', default: true, description: 'False: answered 202 at once.' },
    timeout_ms: { type: 'integer', minimum: 1, default: 30_000, description: 'Past it the answer is 408, and the run goes on.' },
  },
}

const COUNT = { type: 'integer', minimum: 0 } as const
const NAMES = { conversation_id: { type: 'string' }, run_id: { type: 'string' } } as const
const REPLY: Schema = {
  type: 'object',
  required: ['content', 'conversation_id', 'run_id', 'usage'],
  properties: {
    content: { type: 'string' },
    ...NAMES,
    usage: {
      type: 'object',
      required: ['promptTokens', 'completionTokens', 'totalTokens'],
      properties: { promptTokens: COUNT, completionTokens: COUNT, totalTokens: COUNT },
    },
  },
}
const ACCEPTED: Schema = {
  type: 'object',
  required: ['conversation_id', 'run_id', 'status'],
  properties: { ...NAMES, status: { const: 'accepted' } },
}

export const messageRoute: Route = {
  verb: 'POST',
  path: '/api/v1/message',
  call: '*',
  describe: { summary: 'Sends the agent a message', body: BODY, reply: REPLY, otherReplies: { 202: ACCEPTED }, streams: 'accepted' },
  decode,
  encode(what, state) {
    // The state is what decode made of this very request.
    const known = state as unknown as MessageState
    return what.kind === 'event' ? heard(what.event, known) : ended(what.outcome, known)
  },
}

function ended(outcome: Outcome, { form, said }: MessageState): RouteEncoded | undefined {
  if (!outcome.ok) return said ? { frames: [{ event: 'error', data: flatError(outcome.refusal) }] } : renamedRefusal(outcome.refusal)
  if (form === 'started') {
    // `chat.start` answers this shape: chat's own contract.
    const started = outcome.value as ChatStarted
    return { status: 202, body: { ...namesOf(started), status: 'accepted' } }
  }
  // `chat.run` answers this shape: chat's own contract.
  const result = outcome.value as ChatRunResult
  // Usage is JSON by its contract; an interface only lacks the index signature.
  const body = { content: result.response, ...namesOf(result), usage: { ...result.usage } as JsonObject }
  if (form === 'whole') return { body }
  const unsaid = !said && result.response !== '' ? [{ event: 'delta', data: { delta: result.response, ...namesOf(result) } }] : []
  return { frames: [...unsaid, { event: 'done', data: body }] }
}

/** Only the run's own events: those of runs it started belong to nobody here. */
function heard({ name, runId, data }: GatewayEvent, state: MessageState): RouteEncoded | undefined {
  if (runId === undefined || (state.runId !== null && state.runId !== runId)) return undefined
  if (name === 'chat.started') return { state: { ...state, runId } }
  const { delta, sessionKey = '' } = data
  if (name !== 'chat.delta' || typeof delta !== 'string' || delta === '') return undefined
  return { state: { ...state, runId, said: true }, frames: [{ event: 'delta', data: { delta, ...namesOf({ sessionKey, runId }) } }] }
}

function namesOf({ sessionKey, runId }: { readonly sessionKey: Json; readonly runId: string }): JsonObject {
  return { conversation_id: sessionKey, run_id: runId }
}
