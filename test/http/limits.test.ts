/** The limits as a client on the network meets them: what carries Retry-After, what 0 means, and what a change does. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { test, type TestContext } from 'node:test'
import type { JsonObject } from '@isopod/plugin-api'
import { testGateway, TestClock, type TestGateway } from '@isopod/testing'
import { uwsTransport } from '../../kernel/transport/uws.ts'
import { wsTransport } from '../../kernel/transport/ws.ts'
import type { TransportFactory } from '../../kernel/transport/transport.ts'
import { listening, TOKEN, type Listening } from './listening.ts'
import { Probe } from './probe.ts'

const TRANSPORTS: Readonly<Record<string, TransportFactory>> = { uws: uwsTransport, ws: wsTransport }
const UPGRADE = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' }

/** Asks for a socket: the refusal, or undefined where it is opened. */
async function upgrade(t: TestContext, { port }: Listening, headers: Record<string, string>): Promise<{ status: number | undefined; wait: string | undefined; body: string } | undefined> {
  const asked = request({ port, host: '127.0.0.1', headers: { ...UPGRADE, ...headers } })
  asked.on('error', () => {})
  asked.end()
  const answer = once(asked, 'response') as Promise<[IncomingMessage]>
  const opened = once(asked, 'upgrade').then(([, socket]: { destroy: () => void }[]) => {
    t.after(() => socket?.destroy())
    return undefined
  })
  const refused = answer.then(async ([response]) => {
    let body = ''
    for await (const piece of response) body += String(piece)
    return { status: response.statusCode, wait: response.headers['retry-after'], body }
  })
  return Promise.race([opened, refused])
}

for (const [name, transport] of Object.entries(TRANSPORTS)) {
  test(`${name}: an upgrade that is one too many is 429 with Retry-After, whatever it was too many of`, async (t) => {
    const clock = new TestClock()
    const gateway = await listening(t, { transport, plugins: ['system', 'dialect-rpc'], clock, config: { gateway: { limits: { connections: 1, requestsPerMinute: 3, authFailures: 2 } } } })
    const mine = { authorization: `Bearer ${TOKEN}` }
    assert.equal(await upgrade(t, gateway, mine), undefined)
    assert.partialDeepStrictEqual(await upgrade(t, gateway, mine), { status: 429, wait: '5' })
    assert.equal((await upgrade(t, gateway, mine))?.status, 429)
    assert.partialDeepStrictEqual(await upgrade(t, gateway, mine), { status: 429, wait: '80' })
    for (let attempt = 1; attempt <= 2; attempt++) assert.equal((await upgrade(t, gateway, { authorization: 'Bearer wrong' }))?.status, 401)
    const locked = await upgrade(t, gateway, { authorization: 'Bearer wrong' })
    assert.partialDeepStrictEqual(locked, { status: 429, wait: '60' })
    assert.match(locked?.body ?? '', /"Too many failed authentication attempts\. Please try again later\."/)
  })
}

async function open(t: TestContext, limits: JsonObject, clock = new TestClock()): Promise<TestGateway> {
  const gateway = await testGateway({ plugins: ['system', 'dialect-rpc', new Probe().plugin], clock, config: { gateway: { limits } } })
  t.after(() => gateway.close())
  return gateway
}

test('a 429 that does not know how long it lasts says a minute', async (t) => {
  const gateway = await open(t, {})
  const refused = await gateway.fetch('/probe/refuse', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"code":"rate_limited"}' })
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '60'])
})

test('a limit of 0 is none, each of them', async (t) => {
  const clock = new TestClock()
  const zero = { bodyBytes: 0, timeoutSeconds: 0, connections: 0, requestsPerMinute: 0, callsPerMinute: 0, authFailures: 0, authWindowSeconds: 0 }
  const gateway = await open(t, zero, clock)
  const large = await gateway.fetch('/probe/echo', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ text: 'x'.repeat(11 * 1024 * 1024) }) })
  assert.equal(large.status, 200)
  for (let attempt = 1; attempt <= 40; attempt++) assert.equal((await gateway.fetch('/status', { headers: { authorization: 'Bearer wrong' } })).status, 401)
  for (let request = 1; request <= 150; request++) assert.equal((await gateway.fetch('/probe/echo')).status, 200)
  const sockets = await Promise.all(Array.from({ length: 15 }, () => gateway.connect()))
  assert.ok(sockets.every(({ closed }) => closed === undefined))
})

test('a limit that is changed holds from the next request on, and forgets nothing that was counted', async (t) => {
  const gateway = await open(t, { requestsPerMinute: 3, authFailures: 2 })
  const ask = async (authorization = `Bearer ${gateway.token}`) => (await gateway.fetch('/probe/echo', { headers: { authorization } })).status
  const change = (limits: JsonObject) => gateway.config.update({ gateway: { limits } }, { revision: gateway.config.revision })
  assert.deepEqual([await ask(), await ask(), await ask(), await ask()], [200, 200, 200, 429])
  assert.deepEqual([await ask('Bearer wrong'), await ask('Bearer wrong'), await ask('Bearer wrong')], [401, 401, 429])
  await change({ requestsPerMinute: 4 })
  assert.deepEqual([await ask(), await ask(), await ask('Bearer wrong')], [200, 429, 429])
})

test('a socket whose credential came in a frame has used one of its requests', async (t) => {
  const gateway = await open(t, { requestsPerMinute: 2 })
  const enter = async () => {
    const socket = await gateway.connect('/', { authorization: '' })
    socket.send({ id: 1, method: 'auth', params: { token: gateway.token } })
    return socket
  }
  await enter()
  assert.equal((await gateway.fetch('/probe/echo')).status, 200)
  assert.equal((await gateway.fetch('/probe/echo')).status, 429)
  const late = await enter()
  assert.partialDeepStrictEqual(late.frames, [{ id: 1, ok: false, error: { code: 'RATE_LIMITED' } }])
  assert.equal(late.closed?.code, 1013)
})

test('a wrong credential is answered at once: failures are counted, and nobody waits for them', async (t) => {
  const clock = new TestClock()
  const gateway = await open(t, {}, clock)
  // The clock stands still: an answer that waited would never come.
  for (let attempt = 1; attempt <= 19; attempt++) assert.equal((await gateway.fetch('/status', { headers: { authorization: 'Bearer wrong' } })).status, 401)
  assert.equal(clock.elapsed(), 0)
})
