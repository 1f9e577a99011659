/** What the transcripts cannot show: messages nobody would write down. */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { REFUSALS, type Json } from '@isopod/plugin-api'
import plugin from '../index.ts'
import { complaint, contributionsOf, NOW } from '../../../fixtures/contributions.ts'
import { RUN } from '../../chat/schema.ts'

const typed = contributionsOf(plugin).dialects.get('typed') ?? assert.fail('there is no dialect typed')

const json = fc.jsonValue() as fc.Arbitrary<Json>
const message = fc.record({
  id: json,
  type: fc.oneof(json, fc.constantFrom('chat', 'status', 'heartbeat_trigger', 'skill_invoke', '__proto__', 'constructor')),
  payload: fc.oneof(json, fc.record({ text: fc.oneof(json, fc.string()), context: fc.oneof(json, fc.dictionary(fc.string(), json)), options: json, skill: json, dry_run: json }, { requiredKeys: [] })),
}, { requiredKeys: [] })

test('any JSON object is a call or a refusal, never a throw', async () => {
  await fc.assert(fc.asyncProperty(message, json, async (given, state) => {
    const decoded = await typed.decode(given, state)
    assert.ok(['call', 'refuse'].includes(decoded.wish.do))
    assert.deepEqual(decoded.state, state)
  }), { numRuns: 500 })
})

test('a chat that is read asks for what chat.run takes, whatever its context holds', async () => {
  const context = fc.dictionary(fc.string({ maxLength: 100 }), fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>, { maxKeys: 20 })
  await fc.assert(fc.asyncProperty(fc.string({ minLength: 1 }), context, async (text, given) => {
    const { wish } = await typed.decode({ type: 'chat', payload: { text, context: given } }, 'ws:1')
    if (wish.do === 'refuse') assert.match(wish.refusal.param ?? '', /^payload\.context\.(sessionKey|conversation_id)$/)
    else assert.equal(complaint(RUN, wish.do === 'call' && wish.params), undefined)
  }), { numRuns: 300 })
})

test('any outcome of any method is one frame with a time', async () => {
  const method = fc.constantFrom('chat.run', 'skill.invoke', 'system.status', 'heartbeat.trigger', 'constructor', '')
  await fc.assert(fc.asyncProperty(method, fc.option(json, { nil: undefined }), async (name, value) => {
    const { frames } = await typed.encode({ kind: 'outcome', id: null, method: name, outcome: { ok: true, value } }, null, NOW)
    assert.deepEqual(frames.map(({ timestamp }) => timestamp), ['2009-02-13T23:31:30.000Z'])
  }), { numRuns: 300 })
})

test('every refusal has its spelling in upper case', async () => {
  const codes = await Promise.all(REFUSALS.map(async (code) => {
    const { frames } = await typed.encode({ kind: 'outcome', id: 1, method: 'x', outcome: { ok: false, refusal: { code, message: '' } } }, null, NOW)
    const payload = frames[0]?.['payload']
    return typeof payload === 'object' && payload !== null && 'code' in payload ? payload.code : undefined
  }))
  assert.deepEqual(codes, [
    'INVALID_REQUEST', 'AUTH_REQUIRED', 'FORBIDDEN', 'NOT_FOUND', 'METHOD_NOT_FOUND', 'CONFLICT', 'TIMEOUT', 'RATE_LIMITED',
    'PAYLOAD_TOO_LARGE', 'INTERNAL_ERROR', 'SERVICE_UNAVAILABLE', 'CANCELLED', 'BUDGET_EXCEEDED',
  ])
})
