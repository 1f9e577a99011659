/** What a client is told: the reply to a message, a tool at work in a run of its own, or an error. Each carries the time. */
import { isObject } from '@isopod/plugin-api'
import type { Encoded, GatewayEvent, Json, JsonObject, Outcome, Spoken } from '@isopod/plugin-api'
import { errorPayload } from './error-payload.ts'

export function encode(spoken: Spoken, state: Json, now: number): Encoded {
  const message = messageOf(spoken)
  return { state, frames: message ? [{ ...message, timestamp: new Date(now).toISOString() }] : [] }
}

function messageOf(spoken: Spoken): JsonObject | undefined {
  if (spoken.kind === 'outcome') return reply(spoken.method, spoken.outcome, spoken.id)
  return spoken.kind === 'event' ? toolMessage(spoken.event) : undefined
}

function reply(method: string, outcome: Outcome, id: Json): JsonObject {
  const named = id === null ? {} : { id }
  if (!outcome.ok) return { type: 'error', ...named, payload: errorPayload(outcome.refusal) }
  // What a handler answered is JSON by contract, or nothing at all.
  const value = (outcome.value ?? null) as Json
  const spell = REPLIES.get(method)
  return spell ? { type: spell.type, ...named, payload: spell.payload(value) } : { type: 'response', ...named, payload: response(value) }
}

/** Methods whose reply is no `response`. */
const REPLIES: ReadonlyMap<string, { readonly type: string; readonly payload: (value: Json) => Json }> = new Map([
  ['system.status', { type: 'status', payload: (value: Json) => value }],
  ['heartbeat.trigger', { type: 'heartbeat_status', payload: heartbeat }],
])

function response(value: Json): JsonObject {
  const { response: text, toolCalls = [], usage } = isObject(value) ? value : {}
  return {
    text: typeof text === 'string' ? text : asText(value),
    tool_calls: Array.isArray(toolCalls) ? toolCalls.map(toolCall) : [],
    tokens_used: tokensIn(usage),
  }
}

function toolCall(call: Json): Json {
  if (!isObject(call)) return call
  const { id = null, name = null, args = null } = call
  return { id, tool: name, args }
}

function heartbeat(value: Json): JsonObject {
  const { result = null, actionsTaken = 0, usage } = isObject(value) ? value : {}
  return { result, actions_taken: actionsTaken, tokens_used: tokensIn(usage) }
}

function tokensIn(usage: Json | undefined): Json {
  return isObject(usage) ? (usage['totalTokens'] ?? 0) : 0
}

/** Tools are all that a run tells of itself here; its text comes with the reply. */
function toolMessage({ name, data }: GatewayEvent): JsonObject | undefined {
  const { tool = null, params = null, result = null, isError } = data
  if (name === 'tool.call') return { type: 'tool_call', payload: { tool, args: params, status: 'executing' } }
  if (name !== 'tool.result') return undefined
  return { type: 'tool_result', payload: { tool, output: asText(result), exit_code: isError === true ? 1 : 0 } }
}

function asText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
