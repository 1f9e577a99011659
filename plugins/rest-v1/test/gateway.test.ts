/** The endpoints under `/v1` on a whole gateway with the offline model, in this process and behind the wall. */
import { after, before, describe, test } from 'node:test'
import assert from 'node:assert/strict'
import type { JsonObject } from '@isopod/plugin-api'
import { testGateway, type TestGateway } from '@isopod/testing'

interface Frame {
  readonly event: string
  readonly data: JsonObject
}

const PLUGINS = ['rest-v1', 'chat', 'channels', 'models', 'sessions', 'tools']

for (const wall of [false, { except: ['models'] }]) {
  describe(wall ? 'behind the wall' : 'in the gateway\'s process', () => {
    let gateway: TestGateway
    before(async () => {
      gateway = await testGateway({ plugins: PLUGINS, wall })
    })
    after(() => gateway.close())

    const send = (path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST') =>
      gateway.fetch(path, { method, ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }) })
    const json = async (path: string, body?: unknown, method?: string) => {
      const reply = await send(path, body, method)
      return { status: reply.status, body: (await reply.json()) as JsonObject }
    }
    const frames = async (path: string, body: unknown): Promise<Frame[]> => {
      const reply = await send(path, body)
      assert.equal(reply.headers.get('content-type'), 'text/event-stream; charset=utf-8')
      return (await reply.text()).trim().split('\n\n').map(frameOf)
    }

    test('a run is answered with its id, session, text and cost, and nothing else', async () => {
      const { status, body } = await json('/v1/agent/run', { message: 'Hello', sessionKey: 'whole' })
      assert.equal(status, 200)
      assert.deepEqual(Object.keys(body), ['runId', 'sessionKey', 'response', 'usage'])
      assert.match(String(body['response']), /You said: Hello/)
      const { promptTokens, completionTokens, totalTokens } = body['usage'] as Record<string, number>
      assert.ok(promptTokens && completionTokens && totalTokens === promptTokens + completionTokens)
    })

    test('a run without a session key begins a session of its own', async () => {
      const [one, other] = [await json('/v1/agent/run', { message: 'One' }), await json('/v1/agent/run', { message: 'Other', sessionKey: null })]
      assert.notEqual(one.body['sessionKey'], other.body['sessionKey'])
    })

    test('a stream is deltas of one run that make the answer, and then done', async () => {
      // Deltas that wait for a reader are joined, so that there may be one only.
      const all = await frames('/v1/agent/run/stream', { message: 'Hello', sessionKey: 'streamed', stream: true })
      const done = all.at(-1)
      const deltas = all.slice(0, -1)
      assert.ok(deltas.length > 0 && deltas.every(({ event, data }) => event === 'delta' && data['runId'] === done?.data['runId']))
      assert.match(deltas.map(({ data }) => data['delta']).join(''), /You said: Hello/)
      assert.deepEqual([done?.event, done?.data['finishReason']], ['done', 'stop'])
    })

    test('the plain URL streams where the body asks for it', async () => {
      assert.equal((await frames('/v1/agent/run', { message: 'Hello', stream: true })).at(-1)?.event, 'done')
    })

    test('a body that contradicts the streaming URL is refused', async () => {
      const { status, body } = await json('/v1/agent/run/stream', { message: 'Hello', stream: false })
      assert.deepEqual([status, (body['error'] as JsonObject)['param']], [400, 'stream'])
    })

    test('a failure before the first word has a status, streaming too', async () => {
      const reply = await send('/v1/agent/run/stream', { message: '/fail rate_limited 3' })
      assert.deepEqual([reply.status, reply.headers.get('retry-after')], [429, '3'])
    })

    test('options say which model answers and how it thinks', async () => {
      const { status } = await json('/v1/agent/run', { message: 'Hello', agentId: 'default', options: { thinking: 'medium', model: 'anthropic/claude-3-5-sonnet' } })
      assert.equal(status, 200)
      const refused: readonly (readonly [object, string])[] = [
        [{ options: { thinking: 'deep' } }, 'options.thinking'],
        [{ options: { model: 5 } }, 'options.model'],
        [{ options: { speed: 1 } }, 'options.speed'],
        [{ options: [] }, 'options'],
        [{ stream: 'yes' }, 'stream'],
        [{ agentId: 'nobody' }, 'agentId'],
        [{ sessionKey: 'a\nb' }, 'sessionKey'],
        [{ speed: 1 }, 'speed'],
      ]
      for (const [more, param] of refused) {
        const { status: code, body } = await json('/v1/agent/run', { message: 'Hello', ...more })
        const error = body['error'] as JsonObject
        assert.deepEqual([error['param'], error['type']], [param, 'client_error'], JSON.stringify(error))
        assert.ok(code === 400 || code === 404)
      }
    })

    test('what is no object is no request', async () => {
      for (const body of [[], 'text', 5, null]) assert.equal((await json('/v1/agent/run', body)).status, 400)
      assert.equal((await json('/v1/agent/run', undefined, 'POST')).status, 400)
    })

    test('a tool of the client ends the run with its call', async () => {
      const clientTools = [{ name: 'weather', params: { type: 'object' } }]
      const { body } = await json('/v1/agent/run', { message: '/call weather {"city":"Oslo"}', clientTools })
      assert.partialDeepStrictEqual(body['toolCalls'], [{ name: 'weather', args: { city: 'Oslo' } }])
      const all = await frames('/v1/agent/run/stream', { message: '/call weather {"city":"Oslo"}', clientTools })
      assert.partialDeepStrictEqual(all.at(-1), { event: 'done', data: { finishReason: 'tool_calls', toolCalls: [{ name: 'weather' }] } })
    })

    test('a session is found by any key, escaped or not, and is gone once deleted', async () => {
      for (const key of ['plain', 'hook:a/b', 'a//b', '50%', 'é ☃', 'what?', '%2F', 'x'.repeat(256)]) {
        await json('/v1/agent/run', { message: 'Hello', sessionKey: key })
        const path = `/v1/sessions/${encodeURIComponent(key)}`
        const { body } = await json(path)
        assert.deepEqual([body['sessionKey'], body['messageCount'], body['channel']], [key, 2, 'api'])
        assert.deepEqual((body['messages'] as JsonObject[]).map(({ role }) => role), ['user', 'assistant'])
        if (!/[%?]/.test(key)) assert.equal((await json(path.replaceAll('%2F', '/').replaceAll('%3A', ':'))).status, 200, key)
        assert.deepEqual(await json(path, undefined, 'DELETE'), { status: 200, body: { ok: true } })
        assert.equal((await json(path)).status, 404)
        assert.equal((await json(path, undefined, 'DELETE')).status, 404)
      }
    })

    test('sessions are listed a page at a time, and filtered', async () => {
      for (const sessionKey of ['one', 'two', 'three']) await json('/v1/agent/run', { message: 'Hello', sessionKey, channel: 'paged' })
      const first = await json('/v1/sessions?channel=paged&limit=2')
      const rows = (body: JsonObject) => (body['sessions'] as JsonObject[]).map(({ sessionKey }) => sessionKey)
      assert.deepEqual(rows(first.body), ['three', 'two'])
      const second = await json(`/v1/sessions?channel=paged&limit=2&after=${String(first.body['next'])}`)
      assert.deepEqual(rows(second.body), ['one'])
      assert.equal((await json('/v1/sessions?limit=none')).status, 400)
    })
  })
}

function frameOf(text: string): Frame {
  const [event = '', data = ''] = text.split('\n')
  return { event: event.replace('event: ', ''), data: JSON.parse(data.replace('data: ', '')) as JsonObject }
}
