/** The request of `POST /api/v1/message`, made into a run: one whose end is awaited, streamed, or left to itself. */
import { wrongParam } from '@isopod/plugin-api'
import type { JsonObject, RouteDecoded, RouteRequest } from '@isopod/plugin-api'
import { bodyOf, reading, refuseUnknown, text, wantsEvents } from './field.ts'

/**
 * Milliseconds, by the document of this family. A stream shows that something
 * comes, and so waits as long as it is not told to stop.
 */
const PATIENCE_MS = 30_000
const FIELDS = ['channel', 'message', 'conversation_id', 'wait_for_response', 'timeout_ms']

/** What must be known of the request to spell its answer. Plain data. */
export type MessageState = {
  readonly form: 'whole' | 'stream' | 'started'
  /** The run that is spelled; null until it is known. */
  readonly runId: string | null
  readonly said: boolean
}

/** Never throws: what is wrong is answered as a refusal that names the field. */
export function decode({ body, headers }: RouteRequest): RouteDecoded {
  return reading(() => {
    const fields = bodyOf(body)
    refuseUnknown(fields, FIELDS)
    const params = paramsOf(fields)
    const patienceMs = patienceOf(fields)
    const form = !waits(fields) ? 'started' : wantsEvents(headers) ? 'stream' : 'whole'
    const state: MessageState = { form, runId: null, said: false }
    if (form === 'started') return { method: 'chat.start', params, state }
    const wait = patienceMs ?? (form === 'whole' ? PATIENCE_MS : undefined)
    return { method: 'chat.run', params, state, stream: form === 'stream', ...(wait !== undefined && { patienceMs: wait }) }
  })
}

function paramsOf(fields: JsonObject): JsonObject {
  const params = { channel: text(fields['channel'], 'channel'), message: text(fields['message'], 'message') }
  const conversation = fields['conversation_id']
  return conversation === undefined ? params : { ...params, sessionKey: text(conversation, 'conversation_id') }
}

function waits({ wait_for_response: waiting = true }: JsonObject): boolean {
  if (typeof waiting !== 'boolean') throw wrongParam('wait_for_response', 'must be true or false')
  return waiting
}

function patienceOf({ timeout_ms: timeout }: JsonObject): number | undefined {
  if (timeout === undefined) return undefined
  if (typeof timeout === 'number' && Number.isSafeInteger(timeout) && timeout >= 1) return timeout
  throw wrongParam('timeout_ms', 'must be a whole number of milliseconds, 1 or more')
}
