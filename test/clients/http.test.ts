/** The TypeScript client over HTTP, against a gateway as a person starts it. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { inspect } from 'node:util'
import { OpenClawClient, type GatewayError } from '@isopod/client'
import { upstreamFor } from '../faults/upstream.ts'
import { gatewayFor, startGateway, type StartedGateway } from '../main-job/started.ts'
import { factsOf, failureOf } from './failure.ts'
import { busy, scriptedFor, well } from './scripted.ts'
import { wireFor } from './wire.ts'

const SLOW = '/slow 20\none two three four five six seven eight nine ten'

describe('the TypeScript client over HTTP', () => {
  let gateway: StartedGateway
  let client: OpenClawClient

  before(async () => {
    gateway = await startGateway({ config: 'gateway: { limits: { requestsPerMinute: 0 } }' })
    client = new OpenClawClient({ baseUrl: gateway.url, token: gateway.token })
  })
  after(() => gateway.remove())

  it('goes on with the conversation it is given', async () => {
    const first = await client.message('The word is swordfish')
    const second = await client.message('And now?', { conversationId: first.conversationId })
    assert.equal(second.conversationId, first.conversationId)
    assert.notEqual(second.runId, first.runId)
    assert.ok(second.usage.promptTokens > first.usage.promptTokens)
    assert.partialDeepStrictEqual(await client.call('session.get', { sessionKey: first.conversationId }), { channel: 'api', messageCount: 4 })
  })

  it('tells the reply to a message as it comes', async () => {
    const events = await Array.fromAsync(client.stream('Hello there'))
    const done = events.at(-1)
    assert.ok(done?.type === 'done' && events.length > 3)
    assert.equal(events.flatMap((event) => (event.type === 'delta' ? event.delta : [])).join(''), done.content)
    assert.ok(events.every(({ runId, conversationId }) => runId === done.runId && conversationId === done.conversationId))
    assert.ok(done.usage.totalTokens > 0)
  })

  it('tells a run of an agent as it comes', async () => {
    const events = await Array.fromAsync(client.agent.stream({ message: 'Hello there', sessionKey: 'told' }))
    const said = events.flatMap((event) => (event.type === 'delta' ? event.delta : [])).join('')
    assert.match(said, /You said: Hello there/)
    assert.partialDeepStrictEqual(events.at(-1), { type: 'done', finishReason: 'stop' })
  })

  it('aborts the run when its reader leaves the loop', async (test) => {
    const upstream = await upstreamFor(test)
    const { url, token } = await gatewayFor(test, { config: upstream.config })
    for await (const event of new OpenClawClient({ baseUrl: url, token }).agent.stream({ message: 'Hello', options: { model: 'p/stuck' } })) {
      assert.partialDeepStrictEqual(event, { type: 'delta', delta: 'Well' })
      break
    }
    await upstream.closed('stuck')
  })

  it('aborts the run when a signal says so, and rejects with its reason', async (test) => {
    const upstream = await upstreamFor(test)
    const { url, token } = await gatewayFor(test, { config: upstream.config })
    const controller = new AbortController()
    const stream = new OpenClawClient({ baseUrl: url, token }).agent.stream({ message: 'Hello', options: { model: 'p/stuck' } }, { signal: controller.signal })
    await stream.next()
    const reason = new Error('I have changed my mind')
    const reading = stream.next()
    controller.abort(reason)
    await assert.rejects(reading, reason)
    await upstream.closed('stuck')
  })

  it('says that a stream broke off, and does not wait for more', async (test) => {
    const wire = await wireFor(test, gateway.url)
    const through = new OpenClawClient({ baseUrl: wire.url, token: gateway.token })
    for (const stream of [through.stream(SLOW), through.agent.stream({ message: SLOW })]) {
      const { value } = await stream.next()
      assert.equal(value?.type, 'delta')
      wire.cut()
      assert.partialDeepStrictEqual(factsOf(await failureOf(stream)), { code: 'connection_lost', status: undefined, retryable: true })
    }
  })

  it('says that the gateway was killed in the middle of an answer', async (test) => {
    const doomed = await gatewayFor(test)
    const stream = new OpenClawClient({ baseUrl: doomed.url, token: doomed.token }).stream(SLOW)
    await stream.next()
    await doomed.kill('SIGKILL')
    assert.equal((await failureOf(stream)).code, 'connection_lost')
    const { code, message } = await failureOf(new OpenClawClient({ baseUrl: doomed.url, token: doomed.token, retries: 0 }).call('session.list'))
    assert.equal(code, 'unreachable')
    assert.match(message, new RegExp(doomed.url))
  })

  it('says that a stream ended before its answer did', async (test) => {
    const ending = await scriptedFor(test, [(response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end('event: delta\ndata: {"delta":"Half an ans","runId":"r"}\n\nevent: done\ndata: {"runId":"r"}')
    }])
    assert.equal((await failureOf(new OpenClawClient({ baseUrl: ending.url }).agent.stream({ message: 'Hello' }))).code, 'connection_lost')
  })

  it('loses patience with a connection on which nothing comes', async (test) => {
    const silent = await scriptedFor(test, [() => {}])
    const waiting = new OpenClawClient({ baseUrl: silent.url, timeoutMs: 50 })
    const failures = [waiting.agent.run({ message: 'Hello' }), waiting.agent.stream({ message: 'Hello' }), waiting.call('session.list')].map(failureOf)
    for (const failure of await Promise.all(failures)) assert.partialDeepStrictEqual(factsOf(failure), { code: 'timeout', status: undefined })
  })

  it('says which run goes on when an answer took too long', async (test) => {
    const upstream = await upstreamFor(test)
    const { url, token } = await gatewayFor(test, { config: upstream.config.replace('p/calm', 'p/hang') })
    const { code, status, details } = await failureOf(new OpenClawClient({ baseUrl: url, token }).message('Hello', { timeoutMs: 50 }))
    assert.deepEqual([code, status], ['timeout', 408])
    const runId = details?.['run_id']
    assert.partialDeepStrictEqual(await new OpenClawClient({ baseUrl: url, token }).call('chat.resume', { runId }), { runId, status: 'open' })
  })

  it('reads the refusals of every family of URLs alike', async () => {
    const wrong = 'a\nb'
    const param = (work: Promise<unknown>) => failureOf(work).then((failure) => [failure.code, failure.status, failure.param])
    assert.deepEqual(await param(client.message('Hello', { conversationId: wrong })), ['invalid_request', 400, 'conversation_id'])
    assert.deepEqual(await param(client.agent.run({ message: 'Hello', sessionKey: wrong })), ['invalid_request', 400, 'sessionKey'])
    assert.deepEqual(await param(client.call('session.get', { sessionKey: wrong })), ['invalid_request', 400, 'sessionKey'])
    assert.deepEqual(await param(client.call('no.such')), ['method_not_found', 404, undefined])
    assert.equal((await failureOf(client.stream('/fail unavailable Come back later'))).code, 'unavailable')
  })

  it('is refused with a wrong token, and shows no token to anybody', async () => {
    const stranger = new OpenClawClient({ baseUrl: gateway.url, token: 'wrong-token-of-somebody' })
    const failures = await Promise.all([stranger.message('Hello'), stranger.agent.stream({ message: 'Hello' }), stranger.call('session.list')].map(failureOf))
    for (const failure of failures) assert.partialDeepStrictEqual(factsOf(failure), { code: 'unauthorized', status: 401 })
    assert.doesNotMatch(inspect([stranger, ...failures], { depth: 9 }) + JSON.stringify(stranger), /wrong-token/)
    assert.throws(() => new OpenClawClient({ baseUrl: gateway.url, token: 'wrong-token\n' }), (thrown: GatewayError) => thrown.param === 'token' && !thrown.message.includes('wrong-token'))
  })

  it('is told how long to wait when it asks too often', async (test) => {
    const { url, token } = await gatewayFor(test, { config: 'gateway: { limits: { requestsPerMinute: 1 } }' })
    const eager = new OpenClawClient({ baseUrl: url, token, retries: 0 })
    await eager.call('session.list')
    for (const failure of await Promise.all([eager.call('session.list'), eager.message('Hello'), eager.agent.run({ message: 'Hello' })].map(failureOf))) {
      const { code, status, retryAfter = 0, retryable } = failure
      assert.deepEqual([code, status, retryable], ['rate_limited', 429, true])
      assert.ok(retryAfter >= 1)
    }
  })

  it('asks again what may be asked twice, and nothing else', async (test) => {
    const relenting = await scriptedFor(test, [busy, well])
    assert.deepEqual(await new OpenClawClient({ baseUrl: relenting.url }).call('session.list'), { sessions: [] })
    assert.equal(relenting.asked(), 2)

    const stubborn = await scriptedFor(test, [busy])
    const asking = new OpenClawClient({ baseUrl: stubborn.url, retries: 1 })
    const once = [asking.message('Hello'), asking.agent.run({ message: 'Hello' }), asking.call('session.delete')]
    for (const { code } of await Promise.all(once.map(failureOf))) assert.equal(code, 'rate_limited')
    assert.equal(stubborn.asked(), 3)
    await failureOf(asking.call('session.list'))
    assert.equal(stubborn.asked(), 5)
  })

  it('says of an answer that no gateway gives that it is none', async (test) => {
    const page = await scriptedFor(test, [(response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>It works!</h1>')])
    const lost = new OpenClawClient({ baseUrl: page.url })
    const failures = [lost.message('Hello'), lost.stream('Hello'), lost.call('session.list')].map(failureOf)
    for (const { code } of await Promise.all(failures)) assert.equal(code, 'bad_answer')
    const proxy = await scriptedFor(test, [(response) => response.writeHead(502).end('Bad Gateway')])
    assert.partialDeepStrictEqual(factsOf(await failureOf(new OpenClawClient({ baseUrl: proxy.url }).message('Hello'))), { code: 'unavailable', status: 502 })
  })

  it('follows nobody who sends it elsewhere', async (test) => {
    const elsewhere = await scriptedFor(test, [well])
    const sending = await scriptedFor(test, [(response) => response.writeHead(307, { location: elsewhere.url }).end()])
    assert.equal((await failureOf(new OpenClawClient({ baseUrl: sending.url, token: 'mine', retries: 0 }).call('session.list'))).code, 'unreachable')
    assert.equal(elsewhere.asked(), 0)
  })

  it('names an option that makes no sense', () => {
    const options = { baseUrl: 'http://127.0.0.1:1' }
    const wrong = { baseUrl: 'ftp://127.0.0.1', timeoutMs: 0, retries: -1 }
    for (const [name, value] of Object.entries(wrong)) {
      assert.throws(() => new OpenClawClient({ ...options, [name]: value }), { code: 'invalid_request', param: name })
    }
  })
})
