/** Who is on a socket: how one gets in, how long one may stay without, and how one is shown out. */
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { JsonObject } from '@isopod/plugin-api'
import { testGateway, TestClock, type TestGateway, type TestPlugin, type TestSocket } from '@isopod/testing'
import { Probe } from '../http/probe.ts'
import { verifies } from '../requirements.ts'
import { tongues } from './tongues.ts'

const BARE = { authorization: '' }

async function open(t: TestContext, config: JsonObject = {}, clock = new TestClock(), ...more: TestPlugin[]): Promise<TestGateway> {
  const gateway = await testGateway({ plugins: ['dialect-rpc', new Probe().plugin, ...more], clock, config: { gateway: config } })
  t.after(() => gateway.close())
  return gateway
}

/** Calls in the rpc dialect. */
async function call(socket: TestSocket, id: string, method: string, params: JsonObject = {}): Promise<JsonObject | undefined> {
  socket.send({ id, method, params })
  return socket.first((frame) => frame['id'] === id)
}

/** Asked anew each time: the socket changes behind the back of the type checker. */
function codeOf(socket: TestSocket): number | undefined {
  return socket.closed?.code
}

describe('a socket without a credential', () => {
  it('is closed with 1008 after 15 s', async (t) => {
    const clock = new TestClock()
    const gateway = await open(t, {}, clock)
    const socket = await gateway.connect('/', BARE)
    await clock.advance(14_999)
    assert.equal(codeOf(socket), undefined)
    await clock.advance(1)
    assert.equal(socket.closed?.code, 1008)
  })

  it('hears nothing, and UNAUTHORIZED for whatever it asks, public methods included', async (t) => {
    verifies('000:code:unauthorized')
    const socket = await (await open(t)).connect('/', BARE)
    for (const frame of [{ id: 1, method: 'system.ping' }, { id: 1, method: 'no.such' }, { id: 1, method: 'probe.open' }]) {
      socket.frames.length = 0
      socket.send(frame)
      assert.partialDeepStrictEqual(socket.frames, [{ id: frame.id, ok: false, payload: null, error: { code: 'UNAUTHORIZED', message: 'Unauthorized' } }])
    }
    for (const text of ['{"hello":true}', '{"method":5}', '{"method":"auth"}', '', 'no JSON', '[1]', '1', `${'['.repeat(80)}${']'.repeat(80)}`]) {
      socket.frames.length = 0
      socket.sendText(text)
      assert.partialDeepStrictEqual(socket.frames, [{ id: null, error: { code: 'UNAUTHORIZED' } }])
    }
    assert.equal(socket.closed, undefined)
  })

  it('may send 64 KiB before it, in one frame or many, counted in bytes', async (t) => {
    const gateway = await open(t)
    const sent = async (...texts: string[]) => {
      const socket = await gateway.connect('/', BARE)
      for (const text of texts) socket.sendText(text)
      return codeOf(socket)
    }
    assert.equal(await sent('x'.repeat(65_536)), undefined)
    assert.equal(await sent('x'.repeat(65_537)), 1009)
    assert.equal(await sent('€'.repeat(21_846)), 1009)
    assert.equal(await sent(...Array.from({ length: 7 }, () => 'x'.repeat(10_000))), 1009)
  })

  it('is let in by `auth`, and then calls, stays and may send more', async (t) => {
    const clock = new TestClock()
    const gateway = await open(t, {}, clock)
    const socket = await gateway.connect('/', BARE)
    const reply = await call(socket, 'a', 'auth', { token: gateway.token })
    assert.partialDeepStrictEqual(reply, { ok: true, error: null })
    assert.equal((await socket.first((frame) => frame['type'] === 'connected'))?.['type'], 'connected')
    await clock.advance(60_000)
    assert.partialDeepStrictEqual(await call(socket, 'b', 'probe.echo', { text: 'x'.repeat(100_000) }), { ok: true })
  })

  it('is let in by a first frame that says nothing but `auth`, on any path', async (t) => {
    const gateway = await open(t, {}, new TestClock(), 'dialect-simple')
    for (const path of ['/', '/ws']) {
      const socket = await gateway.connect(path, BARE)
      socket.send({ type: 'auth', token: gateway.token })
      assert.equal((await socket.first((frame) => frame['type'] === 'connected'))?.['type'], 'connected')
      assert.partialDeepStrictEqual(await call(socket, 'b', 'probe.echo', { text: 'x' }), { type: 'response', payload: { text: 'x' } })
      for (const wrong of [{ token: 'wrong' }, { token: 5 }, {}]) {
        const stranger = await gateway.connect(path, BARE)
        stranger.send({ type: 'auth', ...wrong })
        await stranger.first(() => false)
        assert.partialDeepStrictEqual(stranger.frames, [{ type: 'error', payload: { code: 'AUTH_REQUIRED' } }])
        assert.equal(stranger.closed?.code, 1008)
      }
    }
  })

  it('of a known subprotocol is let in by `auth` in either form, and goes on in what it spoke', async (t) => {
    const gateway = await open(t)
    const socket = await gateway.connect('/', { ...BARE, 'sec-websocket-protocol': 'isopod.v1' })
    socket.send({ type: 'auth', token: gateway.token })
    assert.equal((await socket.first((frame) => frame['type'] === 'connected'))?.['type'], 'connected')
    assert.partialDeepStrictEqual(await call(socket, 'b', 'probe.echo', { text: 'x' }), { ok: true })
  })

  it('is refused and closed with 1008 for a wrong one, and what it sends after is not taken', async (t) => {
    const gateway = await open(t)
    const socket = await gateway.connect('/', BARE)
    socket.send({ id: 1, method: 'auth', params: { token: 'wrong' } })
    assert.partialDeepStrictEqual(socket.frames, [{ id: 1, ok: false, error: { code: 'UNAUTHORIZED' } }])
    assert.equal(socket.closed?.code, 1008)
  })

  it('hears its refusal before it is closed, also in a dialect that takes its time', async (t) => {
    const gateway = await open(t, {}, new TestClock(), tongues('slow', { name: 'slow', slow: true }))
    const socket = await gateway.connect('/', BARE)
    socket.send({ slow: 1, id: 1, token: 'wrong' })
    socket.send({ slow: 1, id: 2, token: gateway.token })
    await socket.first(() => false)
    assert.deepEqual(socket.frames.map(({ id, refused }) => [id, refused]), [[undefined, undefined], [1, 'unauthorized']])
    assert.equal(socket.closed?.code, 1008)
  })

  it('that guesses is locked out like any other client', async (t) => {
    const gateway = await open(t)
    for (let attempt = 1; attempt <= 20; attempt++) {
      const socket = await gateway.connect('/', BARE)
      socket.send({ id: 1, method: 'auth', params: { token: `wrong ${attempt}` } })
      assert.partialDeepStrictEqual(socket.frames, [{ error: { code: 'UNAUTHORIZED' } }])
    }
    const socket = await gateway.connect('/', BARE)
    socket.send({ id: 1, method: 'auth', params: { token: 'wrong' } })
    assert.partialDeepStrictEqual(socket.frames, [{ error: { code: 'RATE_LIMITED', retryAfterMs: 60_000 } }])
    assert.equal(socket.closed?.code, 1008)
  })

  it('learns nothing of the paths where sockets are opened', async (t) => {
    const gateway = await open(t)
    await assert.rejects(gateway.connect('/nowhere', BARE), /refused with 401/)
    await assert.rejects(gateway.connect('/nowhere'), /refused with 404/)
  })
})

describe('a socket with a credential', () => {
  it('may show it again, and is welcomed again', async (t) => {
    const gateway = await open(t)
    const socket = await gateway.connect()
    assert.partialDeepStrictEqual(await call(socket, 'a', 'auth', { token: gateway.token }), { ok: true })
  })

  it('keeps it: another one is refused, and the socket goes on as who it was', async (t) => {
    const gateway = await open(t)
    const { token } = (await gateway.client().call('token.create', { name: 'other', scopes: ['read'] })) as { token: string }
    const socket = await gateway.connect()
    assert.partialDeepStrictEqual(await call(socket, 'a', 'auth', { token }), { ok: false, error: { code: 'CONFLICT' } })
    assert.partialDeepStrictEqual(await call(socket, 'b', 'probe.admin'), { ok: true })
  })

  it('is closed with 1008 the moment that one is revoked', async (t) => {
    const gateway = await open(t)
    const client = gateway.client()
    const { token } = (await client.call('token.create', { name: 'short', scopes: ['read'] })) as { token: string }
    const [mine, other, late] = [await gateway.connect('/', { authorization: `Bearer ${token}` }), await gateway.connect(), await gateway.connect('/', BARE)]
    await call(late, 'a', 'auth', { token })
    await client.call('token.revoke', { token: 'short' })
    assert.deepEqual([mine.closed?.code, late.closed?.code, other.closed], [1008, 1008, undefined])
  })

  it('is closed with 1008 when the config names another one', async (t) => {
    const gateway = await open(t)
    const socket = await gateway.connect()
    await gateway.config.update({ gateway: { auth: { token: 'another-token-that-nobody-guesses' } } }, { revision: gateway.config.revision })
    assert.equal(socket.closed?.code, 1008)
    await assert.rejects(gateway.connect(), /refused with 401/)
  })

  it('is one of ten that it may have open, until it closes', async (t) => {
    verifies('002:limit:connections')
    const gateway = await open(t, { limits: { connections: 10 } })
    const { token } = (await gateway.client().call('token.create', { name: 'other', scopes: ['read'] })) as { token: string }
    const sockets = await Promise.all(Array.from({ length: 10 }, () => gateway.connect()))
    await assert.rejects(gateway.connect(), /refused with 429.*Too many open sockets/)
    const other = await gateway.connect('/', { authorization: `Bearer ${token}` })
    assert.equal(other.closed, undefined)
    sockets[0]?.close()
    const again = await gateway.connect()
    assert.equal(again.closed, undefined)
  })

  it('counts among its credential\'s ten also where it was shown in a frame', async (t) => {
    const gateway = await open(t, { limits: { connections: 2 } })
    const enter = async () => {
      const socket = await gateway.connect('/', BARE)
      socket.send({ id: 1, method: 'auth', params: { token: gateway.token } })
      return socket
    }
    const [first, second, third] = [await enter(), await enter(), await enter()]
    assert.deepEqual([first.closed, second.closed], [undefined, undefined])
    assert.partialDeepStrictEqual(third.frames, [{ id: 1, ok: false, error: { code: 'RATE_LIMITED' } }])
    assert.equal(third.closed?.code, 1013)
    await assert.rejects(gateway.connect(), /refused with 429/)
    first.close()
    assert.equal((await enter()).closed, undefined)
  })
})

describe('calls on a socket', () => {
  it('are held to the rate of their credential', async (t) => {
    verifies('000:code:rate-limited')
    const clock = new TestClock()
    const gateway = await open(t, { limits: { callsPerMinute: 3 } }, clock)
    const socket = await gateway.connect()
    for (const id of ['a', 'b', 'c']) assert.partialDeepStrictEqual(await call(socket, id, 'probe.echo'), { ok: true })
    assert.partialDeepStrictEqual(await call(socket, 'd', 'probe.echo'), { ok: false, error: { code: 'RATE_LIMITED' } })
    await clock.advance(120_000)
    assert.partialDeepStrictEqual(await call(socket, 'e', 'probe.echo'), { ok: true })
  })
})
