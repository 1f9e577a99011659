/** Server-sent streams: what is said in which order, to whom nothing is said, and what becomes of the call behind. */
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { JsonObject } from '@isopod/plugin-api'
import { testGateway, TestClock, type TestGateway } from '@isopod/testing'
import { Probe } from './probe.ts'

async function open(t: TestContext, probe = new Probe(), clock = new TestClock()): Promise<TestGateway> {
  const gateway = await testGateway({ plugins: [probe.plugin], clock })
  t.after(() => gateway.close())
  return gateway
}

function post(gateway: TestGateway, path: string, body: JsonObject, signal?: AbortSignal): Promise<Response> {
  return gateway.fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), ...(signal && { signal }) })
}

/** The fields of each event of a stream, in order. */
function eventsIn(text: string): JsonObject[] {
  return text.split('\n\n').filter((block) => block !== '').map((block) => Object.fromEntries(block.split('\n').map((line) => line.split(/: ?(.*)/, 2))))
}

describe('a stream', () => {
  it('tells the events of its call in order, each with its number, and ends with what the outcome is', async (t) => {
    const gateway = await open(t)
    const response = await post(gateway, '/probe/stream', { texts: [] })
    assert.deepEqual([response.status, response.headers.get('content-type'), response.headers.get('cache-control')], [200, 'text/event-stream; charset=utf-8', 'no-store'])
    const [done, end] = eventsIn(await response.text())
    assert.partialDeepStrictEqual(done, { event: 'probe.done', id: '1' })
    assert.deepEqual(end, { data: '[DONE]' })
  })

  it('joins what may be joined for a reader who is behind, and loses none of it', async (t) => {
    const gateway = await open(t)
    const texts = Array.from({ length: 1000 }, (_, index) => `${index} `)
    const events = eventsIn(await (await post(gateway, '/probe/stream', { texts })).text())
    const deltas = events.filter(({ event }) => event === 'probe.delta').map(({ data }) => JSON.parse(data as string) as { text: string })
    assert.equal(deltas.map(({ text }) => text).join(''), texts.join(''))
    assert.ok(deltas.length < 10, `${deltas.length} frames`)
    assert.deepEqual(events.slice(-2).map(({ event, data }) => event ?? data), ['probe.done', '[DONE]'])
  })

  it('writes what is told in one turn in one piece, the first at once', async (t) => {
    const response = await post(await open(t), '/probe/stream', { texts: ['a', 'b', 'c'] })
    const pieces: string[] = []
    for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) pieces.push(piece)
    const said = pieces.map((piece) => eventsIn(piece).map(({ event, data }) => event ?? data))
    assert.deepEqual(said, [['probe.delta'], ['probe.delta', 'probe.done', '[DONE]']])
  })

  it('that is refused before anything was said is a plain refusal, with its status', async (t) => {
    const gateway = await open(t)
    const { token } = (await gateway.client().call('token.create', { name: 'nobody', scopes: ['approve'] })) as { token: string }
    const response = await gateway.fetch('/probe/stream', { method: 'POST', headers: { authorization: `Bearer ${token}` } })
    assert.deepEqual([response.status, response.headers.get('content-type')], [403, 'application/json; charset=utf-8'])
  })

  it('whose call fails in the middle says so in its own frames', async (t) => {
    const probe = new Probe()
    const gateway = await open(t, probe)
    const response = await post(gateway, '/probe/stream/failing', { texts: ['a'], hold: true })
    await probe.until(() => probe.waiting === 1)
    await gateway.client().call('probe.abort', {})
    assert.deepEqual(eventsIn(await response.text()).map(({ data }) => data), ['probe.delta', 'cancelled'])
  })

  it('whose row has nothing to say of an event says nothing, and an empty end is an empty stream', async (t) => {
    const response = await post(await open(t), '/probe/stream/mute', { texts: ['a'] })
    assert.deepEqual([response.status, response.headers.get('content-type'), await response.text()], [200, 'text/event-stream; charset=utf-8', ''])
  })

  it('whose row spells nothing at all is answered with the result, like any other', async (t) => {
    const response = await post(await open(t), '/probe/stream/plain', { texts: ['a'] })
    assert.partialDeepStrictEqual([response.status, await response.json()], [200, { texts: 1 }])
  })

  it('whose row breaks at once is 500, and its call is cancelled', async (t) => {
    const probe = new Probe()
    const gateway = await open(t, probe)
    const response = await post(gateway, '/probe/stream/broken/at-once', { texts: ['a'], hold: true })
    assert.deepEqual([response.status, await response.json()], [500, { ok: false, error: { message: 'Internal error', type: 'api_error', code: 'internal_error' } }])
    await probe.until(() => probe.cancelled.length === 1)
    assert.match(JSON.stringify(gateway.log.recent({ limit: 100 })), /The stream of \/probe\/stream\/broken\/at-once failed/)
  })

  it('whose row breaks in the middle ends there, and the log says why', async (t) => {
    const gateway = await open(t)
    assert.equal(await (await post(gateway, '/probe/stream/broken', { texts: ['a'] })).text(), 'data: one\n\ndata: one\n\n')
    assert.match(JSON.stringify(gateway.log.recent({ limit: 100 })), /The stream of \/probe\/stream\/broken failed/)
  })

  it('carries data with line breaks as several lines, and lets no name break out of its own', async (t) => {
    const text = await (await post(await open(t), '/probe/stream/lines', {})).text()
    assert.equal(text.slice(0, text.indexOf('\n\n')), 'event: a b\ndata: one\ndata: two\ndata: three\ndata: four')
  })

  it('says a comment every 15 s while nothing happens', async (t) => {
    const [probe, clock] = [new Probe(), new TestClock()]
    const gateway = await open(t, probe, clock)
    const response = await post(gateway, '/probe/stream', { texts: ['a'], hold: true })
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader() ?? assert.fail('no body')
    const next = async () => (await reader.read()).value
    assert.match(await next() ?? '', /probe\.delta/)
    for (let quarter = 0; quarter < 2; quarter++) {
      await clock.advance(15_000)
      assert.equal(await next(), ': still here\n\n')
    }
    probe.release()
    assert.match(await next() ?? '', /probe\.done/)
  })

  it('that its client closes cancels its call', async (t) => {
    const probe = new Probe()
    const gateway = await open(t, probe)
    const client = new AbortController()
    const response = await post(gateway, '/probe/stream', { texts: ['a'], hold: true }, client.signal)
    await probe.until(() => probe.waiting === 1)
    await response.body?.cancel()
    client.abort()
    await probe.until(() => probe.cancelled.length === 1)
    assert.deepEqual(probe.cancelled, ['The client closed the request'])
  })

  it('that HEAD asks for is no stream', async (t) => {
    assert.equal((await (await open(t)).fetch('/probe/stream', { method: 'HEAD' })).status, 405)
  })
})

describe('a row that takes its time', () => {
  it('keeps the order of what it spells', async (t) => {
    const probe = new Probe()
    const gateway = await open(t, probe)
    const response = await post(gateway, '/probe/stream/slow', { texts: ['a', 'b', 'c'] })
    const said = eventsIn(await response.text()).map(({ data }) => data)
    assert.deepEqual(said, ['probe.delta 1', 'probe.delta 2', 'probe.done 3', 'end 4'])
  })

  it('for ever is given up: 500, and its call cancelled', async (t) => {
    const [probe, clock] = [new Probe(), new TestClock()]
    const gateway = await open(t, probe, clock)
    const answers = ['/probe/stuck/decode', '/probe/stuck/encode', '/probe/stuck/stream'].map((path) => post(gateway, path, { texts: ['a'] }))
    await clock.advance(5_000)
    for (const response of await Promise.all(answers)) assert.equal(response.status, 500)
  })
})

describe('a plain request', () => {
  it('that its client closes cancels its call, run or not', async (t) => {
    for (const path of ['/probe/wait', '/probe/run']) {
      const probe = new Probe()
      const gateway = await open(t, probe)
      const client = new AbortController()
      const unanswered = assert.rejects(post(gateway, path, { hold: true }, client.signal))
      await probe.until(() => probe.waiting === 1)
      client.abort()
      await probe.until(() => probe.cancelled.length === 1)
      await unanswered
    }
  })

  it('that its client closed before its call began cancels it too', async (t) => {
    const probe = new Probe()
    const gateway = await open(t, probe)
    const client = new AbortController()
    const unanswered = assert.rejects(post(gateway, '/probe/late', {}, client.signal))
    await probe.until(() => probe.waiting === 1)
    // In the same turn: nobody has begun to listen for the client yet.
    client.abort()
    await probe.until(() => probe.cancelled.length === 1)
    await unanswered
  })
})
