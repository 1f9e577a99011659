/**
 * A run as it goes: `event: delta` for each piece of the answer, then `event: done`, or `event: error` where it fails after the
 * first piece. A failure before that has a status of its own, by which clients know to try again.
 */
import type { GatewayEvent, Json, JsonObject, Refusal, RouteEncoded, RouteHappening, StreamFrame } from '@isopod/plugin-api'
import type { ChatRunResult } from '../chat/contract.ts'
import type { RunState } from './agent-request.ts'

export function streamed(what: RouteHappening, state: RunState): RouteEncoded | undefined {
  if (what.kind === 'event') return heard(what.event, state)
  // `chat.run` answers this shape: chat's own contract.
  return what.outcome.ok ? ended(what.outcome.value as ChatRunResult, state) : { frames: [failure(what.outcome.refusal, state)] }
}

/** Only the run's own events: those of runs it started belong to nobody here. */
function heard({ name, runId, data }: GatewayEvent, state: RunState): RouteEncoded | undefined {
  if (runId === undefined || (state.runId !== null && state.runId !== runId)) return undefined
  if (name === 'chat.started') return { state: { ...state, runId } }
  const { delta } = data
  if (name !== 'chat.delta' || typeof delta !== 'string' || delta === '') return undefined
  return { state: { ...state, runId, said: true }, frames: [deltaFrame(delta, runId)] }
}

function ended({ runId, response, finishReason, toolCalls }: ChatRunResult, state: RunState): RouteEncoded {
  const done: JsonObject = { runId, finishReason }
  // Calls are JSON by the contract.
  const data = toolCalls.length === 0 ? done : { ...done, toolCalls: toolCalls as unknown as Json }
  const unsaid = !state.said && response !== '' ? [deltaFrame(response, runId)] : []
  return { frames: [...unsaid, { event: 'done', data }] }
}

function deltaFrame(delta: string, runId: string): StreamFrame {
  return { event: 'delta', data: { delta, runId } }
}

/** In the words of this family, which says only whose fault it was. */
function failure({ code, message, param }: Refusal, { runId }: RunState): StreamFrame {
  const spelled = SPELLED[code] ?? { code, type: 'client_error' }
  const error = { message, type: spelled.type, code: spelled.code, ...(param !== undefined && { param }) }
  return { event: 'error', data: { ...(runId !== null && { runId }), error } }
}

const SPELLED: Readonly<Partial<Record<Refusal['code'], { readonly code: string; readonly type: string }>>> = {
  internal: { code: 'internal_error', type: 'server_error' },
  unavailable: { code: 'service_unavailable', type: 'server_error' },
  timeout: { code: 'timeout', type: 'server_error' },
  rate_limited: { code: 'rate_limited', type: 'rate_limited' },
  budget_exceeded: { code: 'budget_exceeded', type: 'rate_limited' },
  unauthorized: { code: 'unauthorized', type: 'authentication_error' },
  method_not_found: { code: 'not_found', type: 'client_error' },
}
