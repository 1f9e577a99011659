import assert from 'node:assert/strict'
import type { RequestListener, ServerResponse } from 'node:http'
import { describe, test } from 'node:test'
import { APIS, serving, spelled, streaming, type Api, type Script } from './raw-provider.ts'
import { heard, refusal, SmallGateway, user } from './small-gateway.ts'

const WORDS = 'Grüße, 世界 👋🏽 – done'

function asking(api: Api, baseUrl: string, signal?: AbortSignal) {
  const gateway = new SmallGateway({ config: { providers: { p: { api, apiKey: { secret: 'key' }, baseUrl } } }, secrets: { key: 'k-1' } })
  return gateway.ask('p/m', { messages: [user('hello')], tools: [{ name: 'add', params: {} }] }, signal)
}

function said(api: Api, script: Script, chunkBytes?: number) {
  return serving(streaming(spelled(api, script), chunkBytes), (url) => heard(asking(api, url)))
}

function refused(api: Api, listener: RequestListener) {
  return serving(listener, (url) => refusal(asking(api, url)))
}

const sending = (text: string, type = 'text/event-stream', status = 200): RequestListener => (_request, response) => {
  response.writeHead(status, { 'content-type': type }).end(text)
}

function endlessly(response: ServerResponse, chunk: string): void {
  if (response.destroyed) return
  if (response.write(chunk)) setImmediate(endlessly, response, chunk)
  else response.once('drain', () => endlessly(response, chunk))
}

const GARBAGE = {
  words: 'who knows',
  'JSON without a stream': '{"choices":[]}',
  'events without JSON': 'data: {{{\n\n',
  'events of something else': 'data: {"weather":"fine"}\n\n',
}

const BUSY: Record<Api, string> = {
  openai: 'data: {"error":{"message":"Busy","type":"server_error","code":"overloaded"}}\n\n',
  'openai-compatible': 'data: {"error":{"message":"Busy","type":"server_error","code":"overloaded"}}\n\n',
  anthropic: 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Busy"}}\n\n',
}

for (const api of APIS) {
  describe(api, () => {
    test('text survives a stream that comes byte by byte', async () => {
      const { text, finish } = await said(api, { text: WORDS, finish: 'stop', usage: [3, 4] }, 1)
      assert.equal(text, WORDS)
      assert.deepEqual(finish?.usage, { promptTokens: 3, completionTokens: 4, totalTokens: 7 })
    })

    test('a character cut in half between two chunks arrives whole', async () => {
      const bytes = spelled(api, { text: WORDS, finish: 'stop' })
      const half = bytes.indexOf('👋') + 2
      const { text } = await serving(streaming(bytes, half), (url) => heard(asking(api, url)))
      assert.equal(text, WORDS)
    })

    test('arguments that are no JSON are handed on as the text they are', async () => {
      const { calls, finish } = await said(api, { call: { name: 'add', args: '{"a": 1, b}' }, finish: 'tools' })
      assert.deepEqual(calls.map(({ name, args }) => [name, args]), [['add', '{"a": 1, b}']])
      assert.equal(finish?.reason, 'tool_calls')
    })

    test('a call without arguments has empty ones', async () => {
      const { calls } = await said(api, { call: { name: 'add', args: '' }, finish: 'tools' })
      assert.deepEqual(calls.map(({ args }) => args), [{}])
    })

    test('a call cut short by the token limit is not made', async () => {
      const { calls, finish } = await said(api, { text: 'Let me', call: { name: 'add', args: '{"a": 1, "b' }, finish: 'length' })
      assert.deepEqual(calls, [])
      assert.equal(finish?.reason, 'length')
    })

    test('a call in a stream that ends early is not made', async () => {
      const kinds = new Set<string>()
      const cut = streaming(spelled(api, { text: 'Let me', call: { name: 'add', args: '{"a":1}' } }))
      await assert.rejects(serving(cut, async (url) => {
        for await (const part of asking(api, url)) kinds.add(part.type)
      }), { code: 'unavailable', retryable: true, message: 'p broke off in the middle of its answer' })
      assert.deepEqual([...kinds], ['text'])
    })

    test('tokens nobody counted are estimated at four bytes each', async () => {
      const { finish } = await said(api, { text: '12345678', finish: 'stop' })
      // The question is `hello`, with one tool declared in 28 bytes of JSON: 33 bytes.
      assert.deepEqual(finish?.usage, { promptTokens: 9, completionTokens: 2, totalTokens: 11 })
    })

    test('a web page is refused as a wrong address, by the provider\'s name', async () => {
      const { error } = await refused(api, sending('<html>Welcome</html>', 'text/html; charset=utf-8'))
      assert.deepEqual([error.code, error.retryable], ['unavailable', false])
      assert.match(error.message, /^p answered with a web page .*models\.providers\.p/)
    })

    for (const [what, text] of Object.entries(GARBAGE)) {
      test(`${what} instead of a stream are refused by the provider's name`, async () => {
        const { error } = await refused(api, sending(text))
        assert.deepEqual([error.code, error.retryable], ['unavailable', false])
        assert.match(error.message, /^p answered with something else/)
      })
    }

    test('an empty answer is unavailable, retryable', async () => {
      const { error } = await refused(api, sending(''))
      assert.deepEqual([error.code, error.retryable], ['unavailable', true])
    })

    test('an error without a body, or with one that never ends, is told by its status', async () => {
      assert.equal((await refused(api, sending('', 'text/plain', 503))).error.retryable, true)
      const endless: RequestListener = (_request, response) => {
        endlessly(response.writeHead(503), 'x'.repeat(16_384))
      }
      const { error } = await refused(api, endless)
      assert.equal(error.message, 'p has a problem of its own (503)')
    })

    test('a redirect is not followed: the key belongs to one address', async () => {
      let asked = 0
      const other: RequestListener = (_request, response) => void response.end(String((asked += 1)))
      const { error } = await serving(other, (location) => refused(api, (_request, response) => void response.writeHead(307, { location }).end()))
      assert.equal(asked, 0)
      assert.equal(error.message, 'p points to another address (307). Set models.providers.p.baseUrl to it')
    })

    test('a server that does not run cannot be reached, retryable', async () => {
      const url = await serving(() => {}, async (address) => address)
      const { error } = await refusal(asking(api, url))
      assert.deepEqual([error.code, error.retryable], ['unavailable', true])
      assert.match(error.message, /^p cannot be reached \(ECONNREFUSED\)\. .*models\.providers\.p\.baseUrl/)
    })

    test('an error in the middle of a stream is told in the provider\'s words', async () => {
      const told = await refused(api, streaming(Buffer.concat([spelled(api, { text: 'Hi' }), Buffer.from(BUSY[api])])))
      assert.deepEqual([told.text, told.error.code, told.error.retryable], ['Hi', 'unavailable', true])
      assert.match(told.error.message, /Busy/)
    })

    test('a reader that leaves early closes the request', async () => {
      const closed = Promise.withResolvers<void>()
      await serving((request, response) => {
        request.resume()
        response.once('close', () => closed.resolve())
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write(spelled(api, { text: 'Hi' }))
      }, async (url) => {
        for await (const _part of asking(api, url)) break
        await closed.promise
      })
    })

    test('cancelling before the first byte closes the request, with the reason it was given', async () => {
      const abort = new AbortController()
      const closed = Promise.withResolvers<void>()
      await serving((request, response) => {
        request.resume()
        response.once('close', () => closed.resolve())
        abort.abort(Object.assign(new Error('Too late'), { name: 'RpcError', code: 'timeout' }))
      }, async (url) => {
        const { error } = await refusal(asking(api, url, abort.signal))
        assert.deepEqual([error.code, error.message], ['timeout', 'Too late'])
        await closed.promise
      })
    })

    test('a provider that falls silent for two minutes is given up', async (t) => {
      t.mock.timers.enable({ apis: ['setTimeout'] })
      await serving((request, response) => {
        request.resume()
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write(spelled(api, { text: 'Hi' }))
      }, async (url) => {
        const parts = asking(api, url)[Symbol.asyncIterator]()
        assert.deepEqual((await parts.next()).value, { type: 'text', text: 'H' })
        assert.deepEqual((await parts.next()).value, { type: 'text', text: 'i' })
        const next = parts.next()
        // The reader's wait begins a few turns of the loop later.
        for (let turn = 0; turn < 20; turn += 1) await new Promise((turned) => setImmediate(turned))
        t.mock.timers.tick(120_000)
        await assert.rejects(next, { code: 'timeout', retryable: true, message: 'p sent nothing for 120 seconds' })
      })
    })
  })
}

test('a line without an end is given up before it fills the memory', async () => {
  const { error } = await refused('openai', (request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: "')
    endlessly(response, 'x'.repeat(1 << 20))
  })
  assert.match(error.message, /^p answered with a line without an end/)
})

