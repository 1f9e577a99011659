/** Deliveries that come again, where the store fails between them: what no gateway in memory can be made to do. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RpcError, type Context, type Json, type Write } from '@isopod/plugin-api'
import { answeredOnce } from '../replays.ts'

const DELIVERY = { hook: 'x', key: 'k', body: '{}' }

/** A store of one document, which takes `writes` writes and no more. */
function contextFor(writes: number): Context {
  let kept: { key: string; value: Json; version: number } | undefined
  let left = writes
  const write = async ([first]: readonly Write[]) => {
    if (left-- <= 0) throw new RpcError('unavailable', 'The disk is full', { retryable: true })
    if (first && 'put' in first) kept = { key: first.key, value: first.value, version: (kept?.version ?? 0) + 1 }
    else kept = undefined
    return [0]
  }
  const store = { get: async () => kept, list: async () => [], write }
  // All that is asked of a context here.
  return { store, now: () => 1_000, gateway: () => ({ startedAt: 1 }), log: { error: () => {} } } as unknown as Context
}

test('what was begun and could not be kept is answered, and is not begun again by a repetition', async () => {
  const ctx = contextFor(1)
  let begun = 0
  const answer = async () => ({ runId: String((begun += 1)) })
  assert.deepEqual(await answeredOnce(DELIVERY, ctx, answer), { runId: '1' })
  await assert.rejects(answeredOnce(DELIVERY, ctx, answer), { code: 'conflict' })
  assert.equal(begun, 1)
})

test('what came to nothing is begun by a repetition', async () => {
  const ctx = contextFor(Infinity)
  await assert.rejects(answeredOnce(DELIVERY, ctx, () => Promise.reject(new Error('no model'))), /no model/)
  assert.deepEqual(await answeredOnce(DELIVERY, ctx, async () => ({ runId: '1' })), { runId: '1' })
})
