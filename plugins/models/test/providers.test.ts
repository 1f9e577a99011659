import { LLMock } from '@copilotkit/aimock'
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { Message, OfferedTool } from '@isopod/plugin-api'
import { APIS } from './raw-provider.ts'
import { heard, refusal, SmallGateway, user } from './small-gateway.ts'

const KEY = 'sk-very-secret-0123456789'
const WEATHER: OfferedTool = { name: 'weather', description: 'The weather', params: { type: 'object', properties: { city: { type: 'string' } } } }
const USAGE = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18, input_tokens: 11, output_tokens: 7 }

const mock = new LLMock({ port: 0, host: '127.0.0.1' })
before(() => mock.start())
after(() => mock.stop())
beforeEach(() => void mock.reset())

for (const api of APIS) {
  describe(api, () => {
    const gateway = () => new SmallGateway({ config: { providers: { p: { api, apiKey: { secret: 'key' }, baseUrl: `${mock.url}/v1` } } }, secrets: { key: KEY } })
    const ask = (...messages: Message[]) => gateway().ask('p/some/model', { messages, tools: [WEATHER] })
    const sent = () => mock.getLastRequest()

    test('an answer streams as text and ends with the provider\'s own counts', async () => {
      mock.onMessage('hello', { content: 'Hi there, how are you?', usage: USAGE }, { chunkSize: 4 })
      const { all, text, finish } = await heard(ask(user('hello')))
      assert.equal(text, 'Hi there, how are you?')
      assert.ok(all.length > 3, 'it came in pieces')
      assert.deepEqual(finish, { type: 'finish', reason: 'stop', usage: { promptTokens: 11, completionTokens: 7, totalTokens: 18 } })
    })

    test('the model\'s name keeps its slashes, and the key rides in the header of that API', async () => {
      mock.onMessage('hello', { content: 'Hi' })
      await heard(ask(user('hello')))
      assert.equal(sent()?.body?.['model'], 'some/model')
      assert.match(JSON.stringify(sent()?.headers), new RegExp(api === 'anthropic' ? '"x-api-key"' : '"authorization"', 'i'))
    })

    test('a tool is called, its result goes back, and the answer builds on it', async () => {
      mock.on({ userMessage: 'rain', hasToolResult: false }, { toolCalls: [{ id: 'call_1', name: 'weather', arguments: '{"city":"Oslo"}' }, { id: 'call_2', name: 'weather', arguments: '{"city":"Rome"}' }] })
      mock.on({ userMessage: 'rain', hasToolResult: true }, { content: 'Only in Oslo.' })
      const first = await heard(ask(user('rain?')))
      assert.deepEqual(first.calls.map(({ name, args }) => [name, args]), [['weather', { city: 'Oslo' }], ['weather', { city: 'Rome' }]])
      assert.equal(first.finish?.reason, 'tool_calls')
      const results: Message = { role: 'tool', parts: first.calls.map(({ id, name }, index) => ({ type: 'toolResult', id, name, result: { rain: index === 0 } })) }
      const second = await heard(ask(user('rain?'), { role: 'assistant', parts: first.calls }, results))
      assert.equal(second.text, 'Only in Oslo.')
      assert.equal(second.finish?.reason, 'stop')
      assert.match(JSON.stringify(sent()?.body), /rain.{1,10}true/)
    })

    test('429 is rate_limited, retryable, with the seconds to wait', async () => {
      mock.onMessage('hello', { error: { message: 'Slow down', type: 'rate_limit_error' }, status: 429, retryAfter: 17 })
      const { error } = await refusal(ask(user('hello')))
      assert.equal(error.code, 'rate_limited')
      assert.equal(error.retryable, true)
      assert.equal(error.retryAfterSeconds, 17)
      assert.equal(error.message, 'p takes no more requests for now: Slow down')
    })

    test('a quota that is used up is not worth trying again', async () => {
      mock.onMessage('hello', { error: { message: 'You have no credit', type: 'insufficient_quota', code: 'insufficient_quota' }, status: 429 })
      const { error } = await refusal(ask(user('hello')))
      assert.deepEqual([error.code, error.retryable], ['rate_limited', false])
    })

    test('500 is unavailable and retryable', async () => {
      mock.onMessage('hello', { error: { message: 'Oops', type: 'api_error' }, status: 500 })
      const { error } = await refusal(ask(user('hello')))
      assert.deepEqual([error.code, error.retryable], ['unavailable', true])
    })

    test('401 names the field to fix and never the key', async () => {
      mock.onMessage('hello', { error: { message: `Incorrect API key provided: ${KEY}`, type: 'authentication_error' }, status: 401 })
      const { error } = await refusal(ask(user('hello')))
      assert.deepEqual([error.code, error.retryable], ['unavailable', false])
      assert.equal(error.message, 'p does not accept its key (401). Check models.providers.p.apiKey')
      assert.doesNotMatch(String(error.cause), /sk-/)
    })

    test('400 is invalid_request in the provider\'s words, without a key it repeats', async () => {
      mock.onMessage('hello', { error: { message: `Too many tools for ${KEY}, also sk-oth***ers`, type: 'invalid_request_error' }, status: 400 })
      const { error } = await refusal(ask(user('hello')))
      assert.equal(error.code, 'invalid_request')
      assert.equal(error.message, 'p does not take this request (400): Too many tools for [redacted], also [redacted]')
    })

    test('404 is invalid_request that names the model', async () => {
      mock.onMessage('hello', { error: { message: 'No such model', type: 'not_found_error' }, status: 404 })
      const { error } = await refusal(ask(user('hello')))
      assert.deepEqual([error.code, error.param], ['invalid_request', 'model'])
    })

    test('a stream that is cut gives what came and is then unavailable, retryable', async () => {
      mock.onMessage('hello', { content: 'one two three four five six' }, { chunkSize: 4, truncateAfterChunks: 5, latency: 5 })
      const { error, text } = await refusal(ask(user('hello')))
      assert.ok(text !== '' && 'one two three four'.startsWith(text), text)
      assert.deepEqual([error.code, error.retryable], ['unavailable', true])
      assert.equal(error.message, 'p broke off in the middle of its answer')
    })

    test('a slow answer is cancelled where it stands', async () => {
      mock.onMessage('hello', { content: 'x'.repeat(40) }, { chunkSize: 4, latency: 50 })
      const abort = new AbortController()
      const parts = gateway().ask('p/m', { messages: [user('hello')] }, abort.signal)
      const said: string[] = []
      await assert.rejects(async () => {
        for await (const part of parts) {
          said.push(part.type)
          abort.abort()
        }
      }, { code: 'cancelled' })
      assert.deepEqual(said, ['text'])
    })
  })
}
