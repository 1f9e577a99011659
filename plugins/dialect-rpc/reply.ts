/** What a client hears: the reply to a request, the event of a run, or that its credential was accepted. */
import { isObject, refusalFrame, upperCase } from '@isopod/plugin-api'
import type { Encoded, GatewayEvent, Json, JsonObject, Outcome, Spoken } from '@isopod/plugin-api'
import { connected, identity } from './greeting.ts'

export function encode(spoken: Spoken): Encoded {
  return { state: null, frames: framesOf(spoken) }
}

function framesOf(spoken: Spoken): readonly JsonObject[] {
  switch (spoken.kind) {
    case 'event':
      return [eventFrame(spoken.event)]
    case 'outcome':
      return [reply(spoken.id, spoken.method, spoken.outcome)]
    case 'welcome':
      // Without an id nobody waits for a reply; being connected says it all.
      return [...(spoken.id === null ? [] : [accepted(spoken.id, identity(spoken.facts))]), connected(spoken.facts)]
  }
}

function reply(id: Json, method: string, outcome: Outcome): JsonObject {
  if (!outcome.ok) return { id, ok: false, payload: null, error: refusalFrame(outcome.refusal) }
  // What a handler answered is JSON by contract, or nothing at all.
  const value = (outcome.value ?? null) as Json
  return accepted(id, method === 'chat.run' && isObject(value) ? chatPayload(value) : value)
}

function accepted(id: Json, payload: Json): JsonObject {
  return { id, ok: true, payload, error: null }
}

/** A reply names its run, its text and its cost; calls of the client's tools only where there are any. */
function chatPayload({ runId, sessionKey, response, finishReason, usage, toolCalls }: JsonObject): JsonObject {
  const payload = { runId, sessionKey, response, finishReason, usage }
  return Array.isArray(toolCalls) && toolCalls.length > 0 ? { ...payload, toolCalls } : payload
}

function eventFrame(event: GatewayEvent): JsonObject {
  const data = event.name === 'chat.error' ? failure(event.data) : event.data
  return event.runId === undefined ? { type: event.name, data } : { type: event.name, data, seq: event.seq }
}

/** A failed run names its refusal as a refused call would. */
function failure(data: JsonObject): JsonObject {
  const error = data['error']
  if (!isObject(error) || typeof error['code'] !== 'string') return data
  return { ...data, error: { ...error, code: upperCase(error['code']) } }
}
