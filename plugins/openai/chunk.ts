/**
 * An answer as it comes: `chat.completion.chunk`s, from the events of the run and, at its end, from its outcome. What no
 * event brought is taken from the outcome, so that a client sees the same answer however it was heard. The role is held back
 * until there is something to say: a failure before that still has a status, by which clients know to try again. A failure
 * after it is told in a frame of its own, which clients throw, and no `[DONE]` follows: a cut answer never looks whole.
 */
import type { GatewayEvent, Json, JsonObject, Refusal, RouteEncoded, RouteHappening, StreamFrame } from '@isopod/plugin-api'
import type { ChatEvents, ChatRunResult } from '../chat/contract.ts'
import type { CompletionState } from './completion-request.ts'
import { completionId, seconds, toolCallOf, usageOf } from './completion.ts'
import { errorBody } from './error-body.ts'

export function streamed(what: RouteHappening, state: CompletionState, now: number): RouteEncoded | undefined {
  if (what.kind === 'event') return heard(what.event, state, now)
  // `chat.run` answers this shape: chat's own contract.
  return what.outcome.ok ? ended(what.outcome.value as ChatRunResult, state, now) : failed(what.outcome.refusal, state)
}

/** Only the run's own events: those of runs it started belong to nobody here. */
function heard(event: GatewayEvent, state: CompletionState, now: number): RouteEncoded | undefined {
  const { runId } = event
  if (runId === undefined || (state.id !== null && state.id !== completionId(runId))) return undefined
  const { delta } = event.data
  switch (event.name) {
    case 'chat.started':
      return { state: opened(state, runId, now) }
    case 'chat.delta':
      return delta === '' ? undefined : said(saying(opened(state, runId, now)), [{ content: delta }])
    case 'chat.thinking':
      return delta === '' ? undefined : said(opened(state, runId, now), [{ reasoning_content: delta }])
    case 'tool.call':
      return event.data['client'] === true ? called(event.data, opened(state, runId, now)) : undefined
    default:
      return undefined
  }
}

function called(data: JsonObject, state: CompletionState): RouteEncoded {
  // The event is chat's own, and carries this by its contract.
  const { callId: id, tool: name, params: args } = data as unknown as ChatEvents['tool.call']
  const call = { id, name, args }
  return said({ ...state, calls: [...state.calls, call.id] }, [callDelta(call, state.calls.length)])
}

function ended(result: ChatRunResult, before: CompletionState, now: number): RouteEncoded {
  const state = opened(before, result.runId, now)
  const unsaid = !state.said && result.response !== '' ? [{ content: result.response }] : []
  const uncalled = result.toolCalls.filter(({ id }) => !state.calls.includes(id))
  const calls = uncalled.map((call, index) => callDelta(call, state.calls.length + index))
  return {
    frames: [
      ...chunks(state, [...unsaid, ...calls]),
      frame(state, [{ index: 0, delta: {}, finish_reason: result.finishReason }]),
      ...(state.includeUsage ? [frame(state, [], usageOf(result.usage))] : []),
      { data: '[DONE]' },
    ],
  }
}

/** Before the first chunk a refusal is spelled by the URL's family. */
function failed(refusal: Refusal, state: CompletionState): RouteEncoded | undefined {
  return state.begun ? { frames: [{ data: errorBody(refusal) }] } : undefined
}

function opened(state: CompletionState, runId: string, now: number): CompletionState {
  return state.id === null ? { ...state, id: completionId(runId), created: seconds(now) } : state
}

function saying(state: CompletionState): CompletionState {
  return state.said ? state : { ...state, said: true }
}

function said(state: CompletionState, deltas: readonly JsonObject[]): RouteEncoded {
  return { frames: chunks(state, deltas), state: state.begun ? state : { ...state, begun: true } }
}

/** One chunk for each delta, the role before the first of all. */
function chunks(state: CompletionState, deltas: readonly JsonObject[]): readonly StreamFrame[] {
  const all: readonly JsonObject[] = state.begun ? deltas : [{ role: 'assistant' }, ...deltas]
  return all.map((delta) => frame(state, [{ index: 0, delta }]))
}

/** Where usage was asked for, every chunk has the field, and all but the last have null in it: the API says so. */
function frame(state: CompletionState, choices: readonly Json[], usage: JsonObject | null = null): StreamFrame {
  const chunk = { id: state.id, object: 'chat.completion.chunk', created: state.created, model: state.model, choices }
  return { data: state.includeUsage ? { ...chunk, usage } : chunk }
}

function callDelta(call: { readonly id: string; readonly name: string; readonly args: unknown }, index: number): JsonObject {
  return { tool_calls: [{ index, ...toolCallOf(call) }] }
}
