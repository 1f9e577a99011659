/** The heartbeat that every socket hears unasked. */
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import type { JsonObject } from '@isopod/plugin-api'
import { testGateway, TestClock, type TestSocket } from '@isopod/testing'
import { openMemoryStore } from '../../kernel/store/memory.ts'
import { verifies } from '../requirements.ts'

async function open(t: TestContext, troubles: readonly string[] = []) {
  const clock = new TestClock()
  const memory = openMemoryStore({ clock })
  // A store that has found something wrong says so among its figures.
  const store = Object.assign(Object.create(memory) as typeof memory, { stats: () => ({ ...memory.stats(), ...(troubles[0] !== undefined && { trouble: troubles[0] }) }) })
  const gateway = await testGateway({ plugins: ['dialect-rpc', 'dialect-simple', 'dialect-typed'], clock, store })
  t.after(() => gateway.close())
  return { gateway, clock }
}

function beats(socket: TestSocket): readonly JsonObject[] {
  return socket.frames.filter(({ type }) => type === 'heartbeat')
}

it('comes every 30 s, to those who came with a credential and those who showed one, without a subscription', async (t) => {
  verifies('002:heartbeat')
  const { gateway, clock } = await open(t)
  const began = clock.now()
  const silent = await gateway.connect()
  const simple = await gateway.connect('/ws', { authorization: '' })
  simple.send({ type: 'auth', token: gateway.token })
  await simple.first(({ type }) => type === 'connected')
  await clock.advance(29_999)
  assert.deepEqual(beats(silent), [])
  await clock.advance(1)
  const first = { type: 'heartbeat', data: { timestamp: began + 30_000, status: 'ok' } }
  assert.deepEqual([beats(silent), beats(simple)], [[first], [first]])
  await clock.advance(60_000)
  assert.deepEqual(beats(silent).map(({ data }) => (data as JsonObject)['timestamp']), [30_000, 60_000, 90_000].map((ms) => began + ms))
})

it('is not for a socket without a credential, nor for one whose dialect has no word for it', async (t) => {
  const { gateway, clock } = await open(t)
  const stranger = await gateway.connect('/', { authorization: '', 'sec-websocket-protocol': 'isopod.v1' })
  const typed = await gateway.connect()
  typed.send({ type: 'status', id: 1 })
  await typed.first(({ id }) => id === 1)
  await clock.advance(10_000)
  assert.deepEqual(stranger.frames, [])
  await clock.advance(30_000)
  assert.deepEqual([beats(stranger), beats(typed)], [[], []])
})

it('says degraded while something troubles the gateway', async (t) => {
  const { gateway, clock } = await open(t, ['the disk is full'])
  const socket = await gateway.connect()
  await clock.advance(30_000)
  assert.deepEqual(beats(socket).map(({ data }) => (data as JsonObject)['status']), ['degraded'])
})

it('stops for who unsubscribes', async (t) => {
  const { gateway, clock } = await open(t)
  const socket = await gateway.connect()
  socket.send({ id: 1, method: 'events.unsubscribe', params: { events: ['heartbeat'] } })
  assert.partialDeepStrictEqual(await socket.first(({ id }) => id === 1), { ok: true, payload: { events: [] } })
  await clock.advance(60_000)
  assert.deepEqual(beats(socket), [])
})
