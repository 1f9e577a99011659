/** What the transcripts cannot show: frames nobody would write down, and what both spellings of a request have in common. */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { REFUSALS, type Json, type JsonObject } from '@isopod/plugin-api'
import plugin from '../index.ts'
import rpcPlugin from '../../dialect-rpc/index.ts'
import typedPlugin from '../../dialect-typed/index.ts'
import { contributionsOf, NOW } from '../../../fixtures/contributions.ts'
import { transcriptsOf } from '../../../fixtures/conversation.ts'

const simple = contributionsOf(plugin).dialects.get('simple') ?? assert.fail('there is no dialect simple')
const rpc = contributionsOf(rpcPlugin).dialects.get('rpc') ?? assert.fail('there is no dialect rpc')
const typed = contributionsOf(typedPlugin).dialects.get('typed') ?? assert.fail('there is no dialect typed')

test('any JSON object is a wish or a refusal, never a throw', async () => {
  const json = fc.jsonValue() as fc.Arbitrary<Json>
  const frame = fc.record({
    id: json,
    type: fc.oneof(json, fc.constantFrom('auth', 'chat', 'status', 'heartbeat_trigger', 'skill_invoke', '__proto__')),
    method: fc.oneof(json, fc.constantFrom('chat.run', 'chat.start', 'auth', 'constructor')),
    params: fc.oneof(json, fc.record({ options: json, sampling: json, message: json }, { requiredKeys: [] })),
    payload: fc.oneof(json, fc.record({ text: fc.oneof(json, fc.string()), context: json, options: json }, { requiredKeys: [] })),
    token: json,
  }, { requiredKeys: [] })
  await fc.assert(fc.asyncProperty(frame, json, async (given, state) => {
    const decoded = await simple.decode(given, state)
    assert.ok(['call', 'auth', 'refuse'].includes(decoded.wish.do))
    assert.deepEqual(decoded.state, state)
  }), { numRuns: 500 })
})

for (const [name, dialect] of [['rpc', rpc], ['typed', typed]] as const) {
  test(`whatever ${name} reads as a call is read here as the same call`, async () => {
    for (const { steps } of transcriptsOf(name)) {
      for (const frame of steps.flatMap(({ client }): JsonObject[] => (client ? [client] : []))) {
        const there = (await dialect.decode(frame, 'ws:1')).wish
        const here = (await simple.decode(frame, 'ws:1')).wish
        if (there.do !== 'call') continue
        assert.ok(here.do === 'call', JSON.stringify(frame))
        assert.equal(here.method, there.method)
        // Here a socket is one conversation, and nobody hears deltas.
        const own = name === 'rpc' && there.method.startsWith('chat.') && there.method !== 'chat.abort' ? { sessionKey: 'ws:1', stream: false } : {}
        assert.deepEqual(here.params, { ...own, ...there.params })
      }
    }
  })
}

test('errors are spelled as the typed dialect does', async () => {
  for (const code of REFUSALS) {
    const spoken = { kind: 'outcome', id: 1, method: 'x', outcome: { ok: false, refusal: { code, message: 'Unauthorized', param: 'p', retryAfterSeconds: 2, details: [1] } } } as const
    assert.deepEqual((await simple.encode(spoken, null, NOW)).frames, (await typed.encode(spoken, null, NOW)).frames)
  }
})
