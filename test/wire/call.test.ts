/** Calls on a socket: many at once, replies under their ids, and what becomes of them when the socket or the gateway goes. */
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { Json, JsonObject } from '@isopod/plugin-api'
import { testGateway, type TestGateway } from '@isopod/testing'
import { Probe } from '../http/probe.ts'
import { verifies } from '../requirements.ts'

async function open(t: TestContext, probe = new Probe()): Promise<TestGateway> {
  const gateway = await testGateway({ plugins: ['dialect-rpc', 'system', probe.plugin] })
  t.after(() => gateway.close())
  return gateway
}

describe('a call on a socket', () => {
  it('is answered under its id as it came, a number as a number', async (t) => {
    verifies('000:ws:reply')
    const socket = await (await open(t)).connect()
    const ids: readonly Json[] = ['a', '', 0, -1, 1.5, 9007199254740991, '1', null]
    for (const id of ids) {
      socket.send({ id, method: 'probe.echo', params: { of: id } })
      assert.deepEqual(socket.frames.at(-1), { id, ok: true, payload: { of: id }, error: null })
    }
  })

  it('is answered when it is done, whatever came first', async (t) => {
    const probe = new Probe()
    const socket = await (await open(t, probe)).connect()
    socket.send({ id: 1, method: 'probe.wait' })
    socket.send({ id: 2, method: 'probe.echo' })
    await socket.first(({ id }) => id === 2)
    probe.release()
    await socket.first(({ id }) => id === 1)
    assert.deepEqual(socket.frames.slice(1).map(({ id }) => id), [2, 1])
  })

  it('tells its events before its reply', async (t) => {
    const socket = await (await open(t)).connect()
    socket.send({ id: 1, method: 'probe.run', params: { texts: ['a', 'b'] } })
    await socket.first(({ id }) => id === 1)
    assert.deepEqual(socket.frames.slice(1).map(({ type, seq, id }) => [type ?? id, seq]), [['probe.delta', 1], ['probe.delta', 2], ['probe.done', 3], [1, undefined]])
  })

  it('is one of 256 at once; the next closes the socket with 1013 and cancels them', async (t) => {
    const probe = new Probe()
    const socket = await (await open(t, probe)).connect()
    for (let id = 1; id <= 256; id++) socket.send({ id, method: 'probe.wait' })
    await probe.until(() => probe.waiting === 256)
    assert.equal(socket.closed?.code, undefined)
    socket.send({ id: 257, method: 'probe.wait' })
    await socket.first(() => false)
    assert.equal(socket.closed?.code, 1013)
    await probe.until(() => probe.cancelled.length === 256)
  })

  it('is cancelled when its socket is lost, unless it is a run', async (t) => {
    const probe = new Probe()
    const gateway = await open(t, probe)
    const socket = await gateway.connect()
    socket.send({ id: 1, method: 'probe.wait' })
    socket.send({ id: 2, method: 'probe.run', params: { hold: true } })
    await probe.until(() => probe.waiting === 2)
    socket.close()
    await probe.until(() => probe.cancelled.length === 1)
    assert.deepEqual(probe.cancelled, ['The client went away'])
    assert.equal(gateway.kernel.core.events.runs.open, 1)
    probe.release()
  })

  it('of a run tells its events to nobody once its socket is lost', async (t) => {
    const probe = new Probe()
    const gateway = await open(t, probe)
    const [socket, other] = [await gateway.connect(), await gateway.connect()]
    socket.send({ id: 2, method: 'probe.run', params: { hold: true } })
    await probe.until(() => probe.waiting === 1)
    socket.close()
    probe.release()
    other.send({ id: 1, method: 'probe.run', params: {} })
    await other.first(({ id }) => id === 1)
    assert.deepEqual(socket.frames.map(({ type }) => type), ['connected'])
    assert.equal(other.frames.filter(({ type }) => type === 'probe.done').length, 1)
  })

  it('of a bug in a plugin is refused as INTERNAL_ERROR, without a word of it', async (t) => {
    verifies('000:code:internal')
    const socket = await (await open(t)).connect()
    socket.send({ id: 1, method: 'probe.fail' })
    assert.deepEqual(socket.frames.at(-1), { id: 1, ok: false, payload: null, error: { code: 'INTERNAL_ERROR', message: 'Internal error' } })
  })
})

describe('a socket', () => {
  it('is told what it can ask for: the nouns of what is loaded', async (t) => {
    verifies('002:ws:connected')
    const socket = await (await open(t)).connect()
    const { data } = socket.frames[0] as { data: { capabilities: string[]; clientId: string; gatewayVersion: string } }
    assert.deepEqual(data.capabilities, [...new Set(data.capabilities)].sort())
    for (const noun of ['events', 'probe', 'system']) assert.ok(data.capabilities.includes(noun))
    assert.deepEqual([typeof data.clientId, data.gatewayVersion], ['string', '0.0.0-test'])
  })

  it('hears what it subscribed to until it unsubscribes, and nothing else', async (t) => {
    verifies('000:ws:events')
    const gateway = await open(t)
    const [socket, deaf] = [await gateway.connect(), await gateway.connect()]
    const tell = (n: number) => gateway.client().call('probe.tell', { n })
    socket.send({ id: 1, method: 'events.subscribe', params: { events: ['probe.told', 'presence', 'health'] } })
    assert.partialDeepStrictEqual(socket.frames.at(-1), { id: 1, ok: true, payload: { events: ['probe.told', 'presence', 'health'] } })
    await tell(1)
    socket.send({ id: 2, method: 'events.unsubscribe', params: { events: ['probe.told'] } })
    await tell(2)
    const heard = (frames: readonly JsonObject[]) => frames.filter(({ type }) => type === 'probe.told').map(({ data }) => data)
    assert.deepEqual(heard(socket.frames), [{ n: 1 }])
    assert.deepEqual(heard(deaf.frames), [])
  })

  it('is told 1012 when the gateway stops', async (t) => {
    const gateway = await testGateway({ plugins: ['dialect-rpc'] })
    t.after(() => gateway.close())
    const socket = await gateway.connect()
    await gateway.close()
    assert.deepEqual(socket.closed, { code: 1012, reason: 'The gateway is stopping' })
  })
})
