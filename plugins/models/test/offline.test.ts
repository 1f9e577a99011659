import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message, ModelRequest } from '@isopod/plugin-api'
import { heard, refusal, SmallGateway, user } from './small-gateway.ts'

const HONESTY = 'I am the offline model, not a language model.'
const TOOLS = [{ name: 'clock', params: {} }, { name: 'add', params: {} }]

const ask = (text: string, request: Partial<ModelRequest> = {}, signal?: AbortSignal) => new SmallGateway().ask('isopod/offline', { messages: [user(text)], tools: TOOLS, ...request }, signal)

test('it says what it is, repeats what was said, word by word, and counts words', async () => {
  const { all, text, finish } = await heard(ask('Good  morning,\nworld'))
  assert.equal(text, `${HONESTY} You said: Good  morning,\nworld`)
  assert.equal(all.length, 9 + 2 + 3 + 1)
  assert.deepEqual(finish, { type: 'finish', reason: 'stop', usage: { promptTokens: 3, completionTokens: 14, totalTokens: 17 } })
})

test('each line with /call is a call of a tool that is offered', async () => {
  const { text, calls, finish } = await heard(ask('Please:\n/call clock\n/call add {"a": 1, "b": 2}'))
  assert.deepEqual(calls, [{ type: 'toolCall', id: 'call_1', name: 'clock', args: {} }, { type: 'toolCall', id: 'call_2', name: 'add', args: { a: 1, b: 2 } }])
  assert.equal(finish?.reason, 'tool_calls')
  assert.equal(text, `${HONESTY} You said: Please:`)
})

test('it answers with the results of its tools, and numbers later calls onward', async () => {
  const first = await heard(ask('/call clock\n/call add {"a":1}'))
  const results: Message = { role: 'tool', parts: [{ type: 'toolResult', id: 'call_1', name: 'clock', result: { time: '12:00' } }, { type: 'toolResult', id: 'call_2', name: 'add', result: 'b is missing', isError: true }] }
  assert.equal(first.text, '')
  const messages = [user('/call clock\n/call add {"a":1}'), { role: 'assistant', parts: first.calls } as const, results]
  const second = await heard(ask('', { messages }))
  assert.equal(second.text, `${HONESTY} clock answered {"time":"12:00"}; add failed with b is missing`)
  assert.deepEqual(second.calls, [])
  const third = await heard(ask('', { messages: [...messages, user('/call clock')] }))
  assert.equal(third.calls[0]?.id, 'call_3')
})

test('a call it cannot make becomes a remark', async () => {
  const { text, calls } = await heard(ask('/call rm {}\n/call add [1]\n/call add {'))
  assert.deepEqual(calls, [])
  assert.equal(text, `${HONESTY} There is no tool rm here; there is clock, add. The arguments of /call add are no JSON object. The arguments of /call add are no JSON object.`)
  assert.match((await heard(ask('/call clock', { toolChoice: 'none' }))).text, /there is none/)
})

test('it stops at the limit of tokens, and then calls nothing', async () => {
  const { text, calls, finish } = await heard(ask('hello\n/call clock', { sampling: { maxTokens: 3 } }))
  assert.deepEqual([text.trim(), calls, finish?.reason], ['I am the', [], 'length'])
})

test('it answers in JSON where JSON is asked for', async () => {
  const { text } = await heard(ask('hello', { sampling: { json: {} } }))
  assert.deepEqual(JSON.parse(text), { model: 'isopod/offline', text: `${HONESTY} You said: hello` })
})

test('/slow waits between words and is cancelled at once', async () => {
  const abort = new AbortController()
  const parts = ask('/slow 60000', {}, abort.signal)[Symbol.asyncIterator]()
  assert.deepEqual((await parts.next()).value, { type: 'text', text: 'I ' })
  const next = parts.next()
  abort.abort()
  await assert.rejects(next, { code: 'cancelled' })
})

test('/fail refuses as a provider would', async () => {
  const { error } = await refusal(ask('/fail rate_limited 7'))
  assert.deepEqual([error.code, error.retryable, error.retryAfterSeconds], ['rate_limited', true, 7])
  assert.match((await heard(ask('/fail often'))).text, /\/fail takes one of invalid_request/)
})

test('a long message is repeated in part, a picture is mentioned, and nothing is answered honestly', async () => {
  const { text } = await heard(ask('x'.repeat(5000)))
  assert.ok(text.endsWith('x... (1000 more)'))
  assert.match((await heard(ask('', { messages: [{ role: 'user', parts: [{ type: 'image', data: 'AA==' }] }] }))).text, /\(with 1 attached\)$/)
  assert.equal((await heard(ask('', { messages: [] }))).text, `${HONESTY} You said nothing.`)
})
