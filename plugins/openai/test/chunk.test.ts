/** Streams that do not go the usual way. */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import type { GatewayEvent, JsonObject, Outcome } from '@isopod/plugin-api'
import { answered, completion } from './row.ts'

const DONE: Outcome = {
  ok: true,
  value: {
    runId: 'r', sessionKey: 's', model: 'openclaw', response: 'Hello', finishReason: 'stop', toolCalls: [],
    usage: { promptTokens: 1, completionTokens: 1, totalTokens: 2 },
  },
}

const event = (name: string, data: JsonObject, runId = 'r'): GatewayEvent => ({ name, runId, seq: 1, data: { runId, ...data } })

async function deltas(hears: readonly GatewayEvent[], outcome: Outcome = DONE): Promise<readonly unknown[]> {
  const answer = await answered(completion({ stream: true }), { hears, outcome })
  const chunks = (answer?.stream ?? []).filter((text) => text !== '[DONE]')
  return chunks.map((text) => (JSON.parse(text) as { choices: { delta: unknown }[] }).choices[0]?.delta)
}

test('an answer that no event brought is taken from the outcome', async () => {
  assert.deepEqual(await deltas([]), [{ role: 'assistant' }, { content: 'Hello' }, {}])
})

test('an answer that was streamed is not said twice', async () => {
  assert.deepEqual(await deltas([event('chat.delta', { delta: 'Hel' }), event('chat.delta', { delta: 'lo' })]),
    [{ role: 'assistant' }, { content: 'Hel' }, { content: 'lo' }, {}])
})

test('events of runs that the run started are not the client\'s', async () => {
  const others = [event('chat.started', {}), event('chat.delta', { delta: 'inner' }, 'other'), event('chat.delta', { delta: 'Hello' })]
  assert.deepEqual(await deltas(others), [{ role: 'assistant' }, { content: 'Hello' }, {}])
})

test('events that are no part of an answer are not sent', async () => {
  const quiet = [event('chat.started', {}), event('tool.result', { callId: 'c', tool: 't', result: 1 }), event('chat.delta', { delta: '' }), event('chat.done', {})]
  assert.deepEqual(await deltas(quiet), [{ role: 'assistant' }, { content: 'Hello' }, {}])
})

test('every chunk of a stream carries the second of the first', async () => {
  const answer = await answered(completion({ stream: true }), { hears: [event('chat.started', {}), event('chat.delta', { delta: 'a' })], outcome: DONE })
  const seconds = (answer?.stream ?? []).filter((text) => text !== '[DONE]').map((text) => (JSON.parse(text) as { created: number }).created)
  assert.deepEqual(new Set(seconds), new Set([1_234_567_890]))
})

test('a model list that was refused is left to the URL\'s family', async () => {
  const outcome: Outcome = { ok: false, refusal: { code: 'unavailable', message: 'No.' } }
  assert.equal(await answered({ verb: 'GET', path: '/v1/models' }, { outcome }), undefined)
  assert.equal(await answered({ verb: 'GET', path: '/v1/models/a', segments: { id: 'a' } }, { outcome }), undefined)
})
