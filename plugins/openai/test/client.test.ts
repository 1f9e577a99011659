/** The official client over the rows: what it makes of every answer. Its network is replaced, nothing else. */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import OpenAI, { APIError, NotFoundError } from 'openai'
import type { GatewayEvent, Outcome } from '@isopod/plugin-api'
import { answered, type Asked } from './row.ts'

const RESULT = {
  runId: 'r', sessionKey: 's', model: 'openclaw', response: 'Hello there', finishReason: 'stop', toolCalls: [],
  usage: { promptTokens: 3, completionTokens: 2, totalTokens: 5 },
}

const event = (name: string, data: object): GatewayEvent => ({ name, runId: 'r', seq: 1, data: { runId: 'r', ...data } })

/** A client of a gateway on which every call goes the given way. */
function clientOf(outcome: Outcome, hears: readonly GatewayEvent[] = []): OpenAI {
  return new OpenAI({
    apiKey: 'a-token',
    baseURL: 'http://127.0.0.1:18789/v1',
    maxRetries: 0,
    fetch: async (url, init) => {
      const { pathname } = new URL(url instanceof Request ? url.url : url)
      const body = typeof init?.body === 'string' ? { body: JSON.parse(init.body) as null } : {}
      const asked: Asked = { verb: init?.method?.toUpperCase() ?? 'GET', path: pathname, segments: { id: decodeURIComponent(pathname.slice('/v1/models/'.length)) }, ...body }
      const answer = await answered(asked, { hears, outcome })
      assert.ok(answer)
      if (!answer.stream) return Response.json(answer.body, { status: answer.status })
      return new Response(answer.stream.map((data) => `data: ${data}\n\n`).join(''), { headers: { 'content-type': 'text/event-stream' } })
    },
  })
}

const ASK = { model: 'openclaw', messages: [{ role: 'user', content: 'Hi' }] } as const

test('the client reads an answer in one piece', async () => {
  const answer = await clientOf({ ok: true, value: RESULT }).chat.completions.create({ ...ASK, messages: [...ASK.messages] })
  assert.equal(answer.choices[0]?.message.content, 'Hello there')
  assert.equal(answer.usage?.total_tokens, 5)
})

test('the client puts a stream together, usage included', async () => {
  const hears = [event('chat.started', {}), event('chat.delta', { delta: 'Hello' }), event('chat.delta', { delta: ' there' })]
  const runner = clientOf({ ok: true, value: RESULT }, hears).chat.completions.stream({ ...ASK, messages: [...ASK.messages], stream_options: { include_usage: true } })
  const answer = await runner.finalChatCompletion()
  assert.equal(answer.choices[0]?.message.content, 'Hello there')
  assert.equal(answer.choices[0]?.finish_reason, 'stop')
  assert.deepEqual(answer.usage, { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 })
})

test('the client reads the calls of its own tools from a stream', async () => {
  const toolCalls = [{ id: 'c1', name: 'weather', args: { city: 'Oslo' } }, { id: 'c2', name: 'weather', args: { city: 'Rome' } }]
  const hears = toolCalls.map(({ id, name, args }) => event('tool.call', { callId: id, tool: name, params: args, client: true }))
  const outcome: Outcome = { ok: true, value: { ...RESULT, response: '', finishReason: 'tool_calls', toolCalls } }
  const answer = await clientOf(outcome, hears).chat.completions.stream({ ...ASK, messages: [...ASK.messages] }).finalChatCompletion()
  const calls = answer.choices[0]?.message.tool_calls?.map((call) => (call.type === 'function' ? [call.id, call.function.arguments] : []))
  assert.deepEqual(calls, [['c1', '{"city":"Oslo"}'], ['c2', '{"city":"Rome"}']])
})

test('the client throws what went wrong in mid-stream', async () => {
  const hears = [event('chat.started', {}), event('chat.delta', { delta: 'Hel' })]
  const outcome: Outcome = { ok: false, refusal: { code: 'unavailable', message: 'The provider closed the stream.' } }
  const stream = await clientOf(outcome, hears).chat.completions.create({ ...ASK, messages: [...ASK.messages], stream: true })
  const heard: string[] = []
  await assert.rejects(async () => {
    for await (const chunk of stream) heard.push(chunk.choices[0]?.delta.content ?? '')
  }, (thrown) => thrown instanceof APIError && thrown.message.includes('The provider closed the stream.') && thrown.code === 'service_unavailable')
  assert.deepEqual(heard, ['', 'Hel'])
})

test('the client lists models, finds one, and is told of none', async () => {
  const client = clientOf({ ok: true, value: { models: [{ id: 'openai/gpt-4o', provider: 'openai', default: true, created: 1 }] } })
  const ids: string[] = []
  for await (const { id } of client.models.list()) ids.push(id)
  assert.deepEqual(ids, ['openclaw', 'isopod', 'openai/gpt-4o'])
  assert.equal((await client.models.retrieve('openai/gpt-4o')).owned_by, 'openai')
  await assert.rejects(client.models.retrieve('gpt-9'), NotFoundError)
})
