/** What a client hears: that it is in, the answer to what it asked, an error, or an event it subscribed to. */
import { isObject } from '@isopod/plugin-api'
import type { Encoded, GatewayEvent, GreetingFacts, Json, JsonObject, Outcome, Spoken } from '@isopod/plugin-api'
import { errorPayload } from './error-payload.ts'

export function encode(spoken: Spoken, state: Json, now: number): Encoded {
  return { state, frames: framesOf(spoken, now) }
}

function framesOf(spoken: Spoken, now: number): readonly JsonObject[] {
  switch (spoken.kind) {
    case 'outcome':
      return [reply(spoken.outcome, idIn(spoken.id), now)]
    case 'welcome':
      return [{ type: 'connected', ...idIn(spoken.id), data: identity(spoken.facts) }]
    case 'event':
      return eventFrames(spoken.event)
  }
}

function reply(outcome: Outcome, id: JsonObject, now: number): JsonObject {
  if (!outcome.ok) return { type: 'error', ...id, payload: errorPayload(outcome.refusal), timestamp: new Date(now).toISOString() }
  // What a handler answered is JSON by contract, or nothing at all.
  const payload = (outcome.value ?? null) as Json
  return { type: 'response', ...id, content: contentOf(payload), payload }
}

/** The text of an answer that has one, or else the whole of it as JSON. */
function contentOf(payload: Json): string {
  const said = isObject(payload) ? payload['response'] : payload
  return typeof said === 'string' ? said : JSON.stringify(payload)
}

function identity({ clientId, gatewayVersion, capabilities }: GreetingFacts): JsonObject {
  return { clientId, gatewayVersion, capabilities }
}

/** A run is told by its reply alone; any other event is one that the client asked for, or the gateway's heartbeat. */
function eventFrames({ name, data, runId }: GatewayEvent): readonly JsonObject[] {
  return runId === undefined ? [{ type: name, data }] : []
}

function idIn(id: Json): JsonObject {
  return id === null ? {} : { id }
}
