/** Conversations with configured providers: a started gateway, its config in YAML, and a mock of the vendors' APIs on loopback. */
import { LLMock } from '@copilotkit/aimock'
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, describe, it } from 'node:test'
import OpenAI from 'openai'
import { verifies } from '../requirements.ts'
import { startGateway, type StartedGateway } from './started.ts'

const USAGE = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18, input_tokens: 11, output_tokens: 7 }
const PICTURE = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

describe('a gateway with providers in its config', () => {
  const mock = new LLMock({ port: 0, host: '127.0.0.1' })
  let garbage: Server
  let gateway: StartedGateway
  let client: OpenAI

  before(async () => {
    await mock.start()
    garbage = createServer((_request, response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: {"this is": not json\n\n'))
    garbage.listen(0, '127.0.0.1')
    await once(garbage, 'listening')
    const garbageUrl = `http://127.0.0.1:${(garbage.address() as AddressInfo).port}/v1`
    gateway = await startGateway({
      config: `
        models:
          default: first/gpt-4o
          providers:
            first:   { api: openai, apiKey: sk-first, baseUrl: "${mock.url}/v1" }
            second:  { api: anthropic, apiKey: sk-second, baseUrl: "${mock.url}/v1" }
            third:   { api: openai-compatible, baseUrl: "${mock.url}/v1", models: [tiny] }
            broken:  { api: openai-compatible, baseUrl: "${garbageUrl}" }
        agents:
          default: { system: "Be brief." }
          careful: { model: broken/any, fallbacks: [third/tiny] }
      `,
    })
    client = new OpenAI({ apiKey: gateway.token, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
  })
  after(async () => {
    await gateway.remove()
    await mock.stop()
    garbage.close()
  })
  beforeEach(() => void mock.reset())

  const ask = (model: string, content: OpenAI.ChatCompletionUserMessageParam['content'], more: Partial<OpenAI.ChatCompletionCreateParamsNonStreaming> = {}) =>
    client.chat.completions.create({ ...more, model, messages: [{ role: 'user', content }] })

  for (const model of ['first/gpt-4o', 'second/claude-3-5-haiku-latest', 'third/tiny']) {
    describe(model, () => {
      it('answers with its own counts of tokens, under the agent\'s instructions and the client\'s sampling', async () => {
        verifies('002:completions:sampling')
        mock.onMessage('hello', { content: 'Hi there!', usage: USAGE })
        const completion = await ask(model, 'hello', { temperature: 0.25, max_tokens: 77 })
        assert.equal(completion.choices[0]?.message.content, 'Hi there!')
        assert.deepEqual([completion.usage?.prompt_tokens, completion.usage?.completion_tokens], [11, 7])
        const sent = mock.getLastRequest()?.body as Record<string, unknown>
        assert.equal(sent['temperature'], 0.25)
        assert.equal(sent['max_tokens'] ?? sent['max_completion_tokens'], 77)
        assert.match(JSON.stringify(sent), /Be brief\./)
      })

      it('has the gateway\'s own tool run, several rounds of it, and builds on the results', async () => {
        const call = (expression: string, id: string) => ({ toolCalls: [{ id, name: 'calculator', arguments: JSON.stringify({ expression }) }] })
        mock.on({ userMessage: 'compute', turnIndex: 0 }, call('6*7', 'call_a'))
        mock.on({ userMessage: 'compute', turnIndex: 1 }, call('42+1', 'call_b'))
        mock.on({ userMessage: 'compute', turnIndex: 2 }, { content: 'It is 43.' })
        const completion = await ask(model, 'compute')
        assert.equal(completion.choices[0]?.message.content, 'It is 43.')
        assert.equal(completion.choices[0]?.finish_reason, 'stop')
        const sent = JSON.stringify(mock.getLastRequest()?.body)
        assert.match(sent, /42/)
        assert.match(sent, /43/)
      })

      it('is shown a picture', async () => {
        mock.onMessage(/.*/, { content: 'A dot.' })
        // The mock's journal keeps only what it understood of a request, so the picture is seen by what it weighs.
        const weight = () => Number(mock.getLastRequest()?.headers['content-length'])
        await ask(model, [{ type: 'text', text: 'look' }])
        const without = weight()
        const completion = await ask(model, [{ type: 'text', text: 'look' }, { type: 'image_url', image_url: { url: `data:image/png;base64,${PICTURE}` } }])
        assert.equal(completion.choices[0]?.message.content, 'A dot.')
        assert.ok(weight() - without > PICTURE.length, `${weight() - without} bytes more`)
      })

      it('that takes no more requests is told as 429 with the seconds to wait', async () => {
        mock.onMessage('hello', { error: { message: 'Slow down', type: 'rate_limit_error' }, status: 429, retryAfter: 30 })
        await assert.rejects(ask(model, 'hello'), (error: unknown) => {
          assert.ok(error instanceof OpenAI.RateLimitError)
          assert.equal(error.headers?.get('retry-after'), '30')
          return true
        })
      })

      it('that breaks off in mid-stream gives what came, and an error instead of an end', async () => {
        mock.onMessage('hello', { content: 'one two three four five six' }, { chunkSize: 4, truncateAfterChunks: 5, latency: 5 })
        const stream = await client.chat.completions.create({ model, stream: true, messages: [{ role: 'user', content: 'hello' }] })
        let text = ''
        await assert.rejects(async () => {
          for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
        }, /broke off/)
        assert.ok(text !== '' && 'one two three four'.startsWith(text), text)
      })

      it('that is slow is left when the client leaves', async () => {
        mock.onMessage('hello', { content: 'x'.repeat(4000) }, { chunkSize: 4, latency: 20 })
        const stream = await client.chat.completions.create({ model, stream: true, messages: [{ role: 'user', content: 'hello' }] })
        let pieces = 0
        for await (const _ of stream) {
          pieces += 1
          if (pieces === 4) stream.controller.abort()
        }
        const socket = await gateway.socket()
        const status = async () => JSON.stringify((await socket.call('plugin.inspect', { id: 'models' })).payload)
        while (!(await status()).includes('"calls":0')) await socket.call('system.ping')
        socket.close()
      })
    })
  }

  it('tells a provider that sends garbage by its name', async () => {
    await assert.rejects(ask('broken/any', 'hello'), (error: unknown) => {
      assert.ok(error instanceof OpenAI.InternalServerError)
      assert.equal(error.status, 503)
      assert.match(error.message, /broken/)
      return true
    })
  })

  it('falls back to the next model where the first fails before it has said anything', async () => {
    mock.onMessage('hello', { content: 'From the other one.' })
    const completion = await ask('openclaw/careful', 'hello')
    assert.equal(completion.choices[0]?.message.content, 'From the other one.')
  })

  it('answers with the default where nobody knows the model, under the name that was asked for', async () => {
    mock.onMessage('hello', { content: 'Default.' })
    const completion = await ask('anthropic/claude-3-5-sonnet', 'hello')
    assert.equal(completion.model, 'anthropic/claude-3-5-sonnet')
    assert.equal((mock.getLastRequest()?.body as { model?: string } | undefined)?.model, 'gpt-4o')
  })
})
