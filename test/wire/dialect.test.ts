/** What a socket speaks: how that is decided, and what becomes of a dialect that is slow, breaks or goes away. */
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { JsonObject } from '@isopod/plugin-api'
import { testGateway, TestClock, type TestGateway, type TestPlugin } from '@isopod/testing'
import { Probe } from '../http/probe.ts'
import { verifies } from '../requirements.ts'
import { tongues } from './tongues.ts'

async function open(t: TestContext, plugins: readonly TestPlugin[], config: JsonObject = {}, clock = new TestClock()): Promise<TestGateway> {
  const gateway = await testGateway({ plugins: [new Probe().plugin, ...plugins], clock, config: { gateway: config } })
  t.after(() => gateway.close())
  return gateway
}

/** Who answered a frame that any of the dialects could have read. */
async function speaker(gateway: TestGateway, { path = '/', protocol = '', frame = {} as JsonObject }): Promise<unknown> {
  const socket = await gateway.connect(path, { 'sec-websocket-protocol': protocol })
  socket.send({ call: 'probe.echo', id: 1, ...frame })
  const answer = await socket.first(({ id }) => id === 1)
  socket.close()
  return answer?.['by']
}

const [A, B, C] = [
  { name: 'a', subprotocols: ['a.v1'], paths: ['/a'], openings: [{ has: 'call', lacks: ['b'] }] },
  { name: 'b', subprotocols: ['b.v1', 'b.v2'], paths: ['/b'], openings: [{ has: 'call' }] },
  { name: 'c', openings: [{ types: ['c'] }] },
]

describe('the dialect of a socket', () => {
  it('is decided by the subprotocol, else by the path, else by the first frame', async (t) => {
    const gateway = await open(t, [tongues('x', A, B, C)])
    assert.equal(await speaker(gateway, {}), 'a')
    assert.equal(await speaker(gateway, { frame: { b: 1 } }), 'b')
    assert.equal(await speaker(gateway, { path: '/b' }), 'b')
    assert.equal(await speaker(gateway, { path: '/a', protocol: 'nobody, b.v2, a.v1' }), 'b')
    assert.equal(await speaker(gateway, { protocol: 'nobody' }), 'a')
  })

  it('is tried in the order of the config, then of the names', async (t) => {
    const plugins = [tongues('x', A, B)]
    assert.equal(await speaker(await open(t, plugins), {}), 'a')
    assert.equal(await speaker(await open(t, plugins, { dialects: ['b'] }), {}), 'b')
  })

  it('does not change after the first frame', async (t) => {
    const gateway = await open(t, [tongues('x', A, B)])
    const socket = await gateway.connect()
    socket.send({ b: 1, call: 'probe.echo', id: 1 })
    socket.send({ call: 'probe.echo', id: 2 })
    assert.deepEqual(socket.frames.slice(-2).map(({ by, id }) => [by, id]), [['b', 1], ['b', 2]])
  })

  it('is undecided while nobody knows the frames: the first one refuses them, and the socket lives', async (t) => {
    const gateway = await open(t, [tongues('x', { name: 'a' }, C)])
    const socket = await gateway.connect()
    const strange = ['{"type":"z"}', '{"type":{"toString":1,"valueOf":1}}', '{"type":["c"]}', '{}', '[]', 'no JSON', '"c"']
    for (const text of strange) {
      socket.frames.length = 0
      socket.sendText(text)
      assert.partialDeepStrictEqual(socket.frames, [{ by: 'a', id: null, refused: 'invalid_request' }])
    }
    socket.send({ type: 'c', call: 'probe.echo', id: 1 })
    assert.partialDeepStrictEqual(socket.frames.at(-1), { by: 'c', id: 1, answer: {} })
  })

  it('is greeted in by all that may be meant, in their order, and by the one that was chosen alone', async (t) => {
    const gateway = await open(t, [tongues('x', A, { ...B, slow: true }, C)], { dialects: ['c'] })
    const undecided = await gateway.connect()
    await undecided.first(({ hello }) => hello === 'b')
    assert.deepEqual(undecided.frames.map(({ hello }) => hello), ['c', 'a', 'b'])
    const decided = await gateway.connect('/', { 'sec-websocket-protocol': 'b.v1' })
    await decided.first(({ hello }) => hello === 'b')
    assert.deepEqual(decided.frames, [{ hello: 'b' }])
  })
})

describe('a dialect that takes its time', () => {
  it('reads frames and says answers in the order they came, with one state', async (t) => {
    const gateway = await open(t, [tongues('x', { name: 'slow', slow: true })])
    const socket = await gateway.connect()
    for (let id = 1; id <= 8; id++) socket.send({ slow: 1, call: 'probe.echo', id })
    await socket.first(({ id }) => id === 8)
    const [, ...said] = socket.frames
    assert.deepEqual(said.map(({ id }) => id), [1, 2, 3, 4, 5, 6, 7, 8])
    // Eight read and eight said: had two been asked at once, one count would be lost.
    assert.equal(Math.max(...said.map(({ n }) => Number(n))), 16)
    assert.equal(new Set(said.map(({ n }) => n)).size, 8)
  })

  it('for ever is given up after 5 s, with 1011', async (t) => {
    const never = () => new Promise<never>(() => {})
    for (const stuck of [{ greet: never }, { decode: never }, { encode: never }]) {
      const clock = new TestClock()
      const gateway = await open(t, [tongues('x', { name: 'stuck', paths: ['/stuck'], ...stuck })], {}, clock)
      const socket = await gateway.connect('/stuck')
      socket.send({ call: 'probe.echo', id: 1 })
      await clock.advance(5_000)
      assert.equal(socket.closed?.code, 1011)
    }
  })
})

describe('a dialect that breaks', () => {
  const broken = () => { throw new TypeError('broken') }
  const late = async () => broken()

  it('closes its socket with 1011, says nothing of why, and the log does', async (t) => {
    for (const fault of [{ decode: broken }, { decode: late }, { encode: broken }, { encode: late }, { greet: broken }, { greet: late }]) {
      const gateway = await open(t, [tongues('x', { name: 'odd', paths: ['/odd'], ...fault })])
      const socket = await gateway.connect('/odd')
      socket.send({ call: 'probe.echo', id: 1 })
      await socket.first(({ id }) => id === 1)
      assert.deepEqual(socket.closed, { code: 1011, reason: 'Internal error' })
      const lines = gateway.log.recent({ limit: 100 }).entries.filter(({ message }) => message.startsWith('A dialect failed'))
      assert.equal(lines.length, 1)
    }
  })

  it('in its greeting does not keep those from their sockets who never meant it', async (t) => {
    for (const greet of [broken, late]) {
      const gateway = await open(t, [tongues('x', { name: 'odd', greet }, A)])
      assert.equal(await speaker(gateway, {}), 'a')
      assert.match(JSON.stringify(gateway.log.recent({ limit: 100 })), /The dialect odd failed to greet/)
    }
  })
})

describe('a dialect that is switched off', () => {
  const off = (gateway: TestGateway) => gateway.client().call('plugin.disable', { id: 'x' })

  it('closes its sockets with 1012 at their next frame', async (t) => {
    const gateway = await open(t, [tongues('x', A), tongues('y', B)])
    const socket = await gateway.connect('/a')
    await off(gateway)
    socket.send({ call: 'probe.echo', id: 1 })
    assert.equal(socket.closed?.code, 1012)
    assert.equal(await speaker(gateway, {}), 'b')
  })

  it('closes them also where only something is to be said', async (t) => {
    verifies('000:ws:events')
    const gateway = await open(t, [tongues('x', A)])
    const socket = await gateway.connect('/a')
    socket.send({ call: 'events.subscribe', id: 1, params: { events: ['probe.told'] } })
    await off(gateway)
    await gateway.client().call('probe.tell', {})
    assert.equal(socket.closed?.code, 1012)
  })

  it('leaves no socket without an answer where it was the last', async (t) => {
    const gateway = await open(t, [tongues('x', A)])
    const socket = await gateway.connect('/')
    await off(gateway)
    socket.send({ strange: true })
    assert.equal(socket.closed?.code, 1012)
  })
})
