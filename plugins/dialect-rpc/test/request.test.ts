/** What the transcripts cannot show: frames nobody would write down. */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { REFUSALS, type Json, type JsonObject, type Wish } from '@isopod/plugin-api'
import plugin from '../index.ts'
import { contributionsOf, NOW } from '../../../fixtures/contributions.ts'

const rpc = contributionsOf(plugin).dialects.get('rpc') ?? assert.fail('there is no dialect rpc')

async function wish(frame: JsonObject): Promise<Wish> {
  return (await rpc.decode(frame, null)).wish
}

test('any JSON object is a wish or a refusal, never a throw', async () => {
  const json = fc.jsonValue() as fc.Arbitrary<Json>
  const frame = fc.record({
    id: json, method: fc.oneof(json, fc.constantFrom('chat.run', 'chat.start', 'auth', '__proto__', 'constructor')),
    params: fc.oneof(json, fc.record({ options: json, sampling: json, token: json, message: json }, { requiredKeys: [] })),
  }, { requiredKeys: [] })
  await fc.assert(fc.asyncProperty(frame, async (given) => {
    const { do: what } = await wish(given)
    assert.ok(['call', 'auth', 'refuse'].includes(what))
  }), { numRuns: 500 })
})

test('an id that can be echoed comes back as it came', async () => {
  const id = fc.oneof(fc.string({ maxLength: 256 }), fc.maxSafeInteger(), fc.double({ noNaN: true, noDefaultInfinity: true, min: -9e15, max: 9e15 }))
  await fc.assert(fc.asyncProperty(id, async (given) => {
    const asked = await wish({ id: given, method: 'system.ping' })
    assert.ok(asked.do === 'call')
    assert.deepEqual(asked.id, given)
  }))
})

for (const id of [2 ** 53, Infinity, 'x'.repeat(257), true, [], { a: 1 }]) {
  test(`an id that cannot be echoed is refused: ${JSON.stringify(id).slice(0, 20)}`, async () => {
    const asked = await wish({ id, method: 'system.ping' })
    assert.ok(asked.do === 'refuse')
    assert.deepEqual([asked.id, asked.refusal.code, asked.refusal.param], [null, 'invalid_request', 'id'])
  })
}

test('a chat says that it came by the socket, unless it says otherwise; every other param passes as it came', async () => {
  const params = { messages: [{ role: 'user', parts: [{ type: 'text', text: 'Hi' }] }], sampling: { temperature: 0 }, options: { thinking: 'low' } }
  for (const method of ['chat.start', 'chat.run']) {
    const asked = await wish({ id: 1, method, params })
    assert.ok(asked.do === 'call')
    assert.deepEqual(asked.params, { channel: 'ws', ...params })
  }
  const named = await wish({ id: 1, method: 'chat.run', params: { message: 'Hi', channel: 'page' } })
  assert.ok(named.do === 'call')
  assert.deepEqual(named.params, { message: 'Hi', channel: 'page' })
})

test('other methods keep every param', async () => {
  const asked = await wish({ id: 1, method: 'tool.invoke', params: { options: { a: 1 } } })
  assert.ok(asked.do === 'call')
  assert.deepEqual(asked.params, { options: { a: 1 } })
})

test('every refusal has its spelling in upper case', async () => {
  const codes = await Promise.all(REFUSALS.map(async (code) => {
    const outcome = { ok: false, refusal: { code, message: '' } } as const
    const { frames } = await rpc.encode({ kind: 'outcome', id: 1, method: 'x', outcome }, null, NOW)
    const error = frames[0]?.['error']
    return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  }))
  assert.deepEqual(codes, [
    'INVALID_REQUEST', 'UNAUTHORIZED', 'FORBIDDEN', 'NOT_FOUND', 'METHOD_NOT_FOUND', 'CONFLICT', 'TIMEOUT', 'RATE_LIMITED',
    'PAYLOAD_TOO_LARGE', 'INTERNAL_ERROR', 'SERVICE_UNAVAILABLE', 'CANCELLED', 'BUDGET_EXCEEDED',
  ])
})

test('a result that is no object is the payload as it is, and nothing is null', async () => {
  for (const [value, payload] of [[[1, 2], [1, 2]], ['done', 'done'], [undefined, null]] as const) {
    const { frames } = await rpc.encode({ kind: 'outcome', id: null, method: 'x', outcome: { ok: true, value } }, null, NOW)
    assert.deepEqual(frames, [{ id: null, ok: true, payload, error: null }])
  }
})

