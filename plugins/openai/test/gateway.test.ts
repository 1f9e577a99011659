/** The official client against a whole gateway with the offline model, in this process and behind the wall. */
import { after, before, describe, test } from 'node:test'
import assert from 'node:assert/strict'
import OpenAI, { AuthenticationError, BadRequestError, NotFoundError, RateLimitError } from 'openai'
import { testGateway, type TestGateway } from '@isopod/testing'
import { verifies } from '../../../test/requirements.ts'

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const seen: Item[] = []
  for await (const item of items) seen.push(item)
  return seen
}

for (const wall of [false, { except: ['models'] }]) {
  describe(wall ? 'behind the wall' : 'in the gateway\'s process', () => {
    let gateway: TestGateway
    before(async () => {
      gateway = await testGateway({ plugins: ['openai', 'chat', 'models', 'sessions', 'tools'], wall })
    })
    after(() => gateway.close())

    const clientOf = (apiKey: string): OpenAI => {
      const fetch = (url: string | URL | Request, init?: RequestInit) => {
        const { pathname, search } = new URL(url instanceof Request ? url.url : url)
        return gateway.fetch(pathname + search, init)
      }
      return new OpenAI({ apiKey, baseURL: 'http://127.0.0.1:18789/v1', maxRetries: 0, fetch })
    }
    const client = (): OpenAI => clientOf(gateway.token)
    const say = (content: string, more: object = {}) => ({ model: 'openclaw', messages: [{ role: 'user' as const, content }], ...more })

    test('an answer comes in one piece, with real usage', async () => {
      const answer = await client().chat.completions.create(say('Hello'))
      assert.match(answer.id, /^chatcmpl_[0-9a-f-]{36}$/)
      assert.match(answer.choices[0]?.message.content ?? '', /You said: Hello/)
      assert.ok(answer.usage && answer.usage.total_tokens === answer.usage.prompt_tokens + answer.usage.completion_tokens && answer.usage.total_tokens > 0)
    })

    test('an answer is streamed in chunks of one id, and usage at the end', async () => {
      const stream = await client().chat.completions.create({ ...say('Hello'), stream: true, stream_options: { include_usage: true } })
      const chunks = await all(stream)
      assert.deepEqual(chunks[0]?.choices[0]?.delta, { role: 'assistant' })
      assert.match(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join(''), /You said: Hello/)
      assert.equal(chunks.at(-2)?.choices[0]?.finish_reason, 'stop')
      assert.ok((chunks.at(-1)?.usage?.total_tokens ?? 0) > 0)
      assert.equal(new Set(chunks.map(({ id }) => id)).size, 1)
    })

    test('a stream is a chunk with the role, chunks with the text, and `data: [DONE]`', async () => {
      verifies('004:completions:stream')
      const headers = { authorization: `Bearer ${gateway.token}`, 'content-type': 'application/json' }
      const body = JSON.stringify(say('Hello', { stream: true }))
      const text = await (await gateway.fetch('/v1/chat/completions', { method: 'POST', headers, body })).text()
      assert.match(text, /^data: \{.*"delta":\{"role":"assistant"\}.*\n\n(?:data: \{.*\n\n)+data: \[DONE\]\n\n$/)
    })

    test('a tool of the client is called, and its result answered', async () => {
      const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: { type: 'object' } } }]
      const asked = await client().chat.completions.create(say('/call weather {"city":"Oslo"}', { tools }))
      assert.equal(asked.choices[0]?.finish_reason, 'tool_calls')
      const message = asked.choices[0]?.message
      const call = message?.tool_calls?.[0]
      assert.ok(message && call?.type === 'function')
      assert.deepEqual(JSON.parse(call.function.arguments), { city: 'Oslo' })
      const answer = await client().chat.completions.create({
        model: 'openclaw', tools,
        messages: [{ role: 'user', content: 'Weather?' }, message, { role: 'tool', tool_call_id: call.id, content: 'rain' }],
      })
      assert.match(answer.choices[0]?.message.content ?? '', /weather answered rain/)
    })

    test('a tool of the gateway runs out of sight', async () => {
      const answer = await client().chat.completions.create(say('/call calculator {"expression":"6 * 7"}'))
      assert.match(answer.choices[0]?.message.content ?? '', /"value":42/)
      assert.equal(answer.choices[0]?.message.tool_calls, undefined)
    })

    test('a user goes on where the session was left', async () => {
      await client().chat.completions.create(say('First', { user: 'anna' }))
      await client().chat.completions.create(say('Second', { user: 'anna' }))
      const { messages } = await gateway.client().call('session.get', { sessionKey: 'openai:default:anna' }) as unknown as { messages: { role: string; content: string }[] }
      assert.deepEqual(messages.filter(({ role }) => role === 'user').map(({ content }) => content), ['First', 'Second'])
    })

    test('a failure before the first word has a status, streaming too', async () => {
      await assert.rejects(client().chat.completions.create({ ...say('/fail rate_limited 3'), stream: true }), (thrown) => {
        assert.ok(thrown instanceof RateLimitError)
        assert.equal(thrown.headers.get('retry-after'), '3')
        return true
      })
    })

    test('what is wrong with a request is told by the field\'s own path', async () => {
      const wrong = { model: 'openclaw', messages: [{ role: 'user', content: 5 }] }
      await assert.rejects(client().chat.completions.create(wrong as never), (thrown) => {
        assert.ok(thrown instanceof BadRequestError)
        assert.deepEqual([thrown.param, thrown.type], ['messages[0].content', 'invalid_request_error'])
        return true
      })
    })

    test('models are listed and found', async () => {
      const ids = (await all(client().models.list())).map(({ id }) => id)
      assert.deepEqual(ids, ['openclaw', 'isopod', 'isopod/offline'])
      assert.equal((await client().models.retrieve('isopod/offline')).id, 'isopod/offline')
      await assert.rejects(client().models.retrieve('nobody/nothing'), NotFoundError)
    })

    test('a wrong key is told so', async () => {
      await assert.rejects(clientOf('wrong').models.list(), AuthenticationError)
    })
  })
}
