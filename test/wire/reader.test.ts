/** Readers who are slow, readers who never read, and clients who do not close when they are told to. */
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { Probe } from '../http/probe.ts'
import { listening, TOKEN, type Listening } from '../http/listening.ts'
import { HeldTransport } from './held.ts'
import { tongues } from './tongues.ts'

const MIB = 1024 * 1024

async function held(t: TestContext, probe = new Probe()): Promise<{ transport: HeldTransport; gateway: Listening; probe: Probe }> {
  const transport = new HeldTransport()
  const gateway = await listening(t, { transport: transport.factory, plugins: ['dialect-rpc', probe.plugin] })
  return { transport, gateway, probe }
}

describe('a reader who is behind', () => {
  it('gets events joined and replies in their places, once it reads', async (t) => {
    const { transport } = await held(t)
    const socket = await transport.connect()
    socket.buffered = MIB
    socket.comes({ id: 1, method: 'probe.run', params: { texts: ['a', 'b', 'c'] } })
    socket.comes({ id: 2, method: 'probe.echo' })
    await new Promise<void>((resolve) => setImmediate(resolve))
    assert.equal(socket.frames.length, 1, 'nothing but the greeting')
    socket.reads()
    await socket.until(({ frames }) => frames.some(({ id }) => id === 1))
    const [, ...said] = socket.frames
    assert.deepEqual(said.filter(({ type }) => type === 'probe.delta').map(({ data, seq }) => [(data as { text: string }).text, seq]), [['abc', 3]])
    assert.deepEqual(said.map(({ type, id }) => type ?? id).filter((what) => what !== 2), ['probe.delta', 'probe.done', 1])
  })

  it('and never reads is closed with 1013 before 64 MiB wait for it', async (t) => {
    const { transport } = await held(t)
    const socket = await transport.connect()
    socket.buffered = MIB
    for (let id = 1; id <= 64 && !socket.closing; id++) socket.comes({ id, method: 'probe.large', params: { length: MIB } })
    assert.equal(socket.closing?.code, 1013)
    assert.equal(socket.frames.length, 1)
  })

  it('costs the text of a long answer and not its frames', async (t) => {
    const { transport } = await held(t)
    const socket = await transport.connect()
    socket.buffered = MIB
    socket.comes({ id: 1, method: 'probe.run', params: { texts: Array.from({ length: 500_000 }, () => 'ab') } })
    await new Promise<void>((resolve) => setImmediate(resolve))
    assert.equal(socket.closing, undefined, 'half a million frames of 100 bytes would have been too much')
    socket.reads()
    await socket.until(({ frames }) => frames.some(({ id }) => id === 1))
    const delta = socket.frames.find(({ type }) => type === 'probe.delta')
    assert.equal((delta?.['data'] as { text: string } | undefined)?.text.length, 1_000_000)
  })
})

describe('a client that was told that its socket is closed, and goes on', () => {
  it('is not heard: its frames make no calls', async (t) => {
    const { transport, gateway, probe } = await held(t)
    const socket = await transport.connect()
    await gateway.config.update({ gateway: { auth: { token: 'another-token-that-nobody-guesses' } } }, { revision: gateway.config.revision })
    assert.equal(socket.closing?.code, 1008)
    socket.comes({ id: 1, method: 'probe.wait' })
    socket.comes({ id: 2, method: 'auth', params: { token: 'another-token-that-nobody-guesses' } })
    socket.comes({ id: 3, method: 'probe.wait' })
    assert.equal(probe.waiting, 0)
  })

  it('has its calls cancelled and hears no more events, though it has not gone yet', async (t) => {
    const { transport, gateway, probe } = await held(t)
    const socket = await transport.connect()
    socket.comes({ id: 1, method: 'events.subscribe', params: { events: ['probe.told'] } })
    socket.comes({ id: 2, method: 'probe.wait' })
    await probe.until(() => probe.waiting === 1)
    socket.comesText('', true)
    assert.equal(socket.closing?.code, 1003)
    await probe.until(() => probe.cancelled.length === 1)
    const before = socket.frames.length
    const other = await transport.connect({ authorization: `Bearer ${TOKEN}` })
    other.comes({ id: 1, method: 'probe.tell' })
    assert.equal(socket.frames.length, before)
    assert.equal(gateway.running.kernel.core.events.runs.open, 0)
  })
})

describe('a client that does not wait', () => {
  it('may have 256 frames waiting for a dialect that takes its time; then it is closed with 1013', async (t) => {
    const transport = new HeldTransport()
    await listening(t, { transport: transport.factory, plugins: [tongues('x', { name: 'stuck', decode: () => new Promise(() => {}) })] })
    const socket = await transport.connect()
    let taken = 0
    while (!socket.closing) {
      socket.comes({ stuck: 1 })
      taken += 1
    }
    assert.deepEqual([taken, socket.closing.code], [258, 1013], 'one is being read, 256 wait')
  })

  it('and leaves has nothing of what waited carried out', async (t) => {
    const probe = new Probe()
    const transport = new HeldTransport()
    await listening(t, { transport: transport.factory, plugins: [probe.plugin, tongues('x', { name: 'slow', slow: true })] })
    const socket = await transport.connect()
    await socket.until(({ frames }) => frames.length === 1)
    // The greeting has been said: the first frame is being read now, the second waits for it.
    socket.comes({ slow: 1, call: 'probe.wait', id: 1 })
    socket.comes({ slow: 1, call: 'probe.wait', id: 2 })
    socket.leaves()
    await new Promise<void>((resolve) => setImmediate(resolve))
    assert.equal(probe.waiting, 0)
  })
})
