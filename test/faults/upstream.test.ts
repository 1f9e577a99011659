/** A gateway whose provider does everything a provider must not do. Whatever it is, a run ends, says why, and is kept. */
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { JsonObject } from '@isopod/plugin-api'
import { gatewayFor, type RpcSocket, type StartedGateway } from '../main-job/started.ts'
import { MIB, residentBytes } from './memory.ts'
import { HUNDRED_MEGABYTES, upstreamFor, WORDS, type Upstream } from './upstream.ts'

interface Stage {
  readonly upstream: Upstream
  readonly gateway: StartedGateway
  readonly socket: RpcSocket
}

async function stage(test: TestContext): Promise<Stage> {
  const upstream = await upstreamFor(test)
  const gateway = await gatewayFor(test, { config: upstream.config })
  return { upstream, gateway, socket: await gateway.socket() }
}

const ask = (socket: RpcSocket, model: string): Promise<JsonObject> =>
  socket.call('chat.run', { message: 'Hello', sessionKey: model, options: { model: `p/${model}` } })

async function lastMessage(socket: RpcSocket, sessionKey: string): Promise<{ content: string; status?: string }> {
  const { payload } = await socket.call('session.get', { sessionKey })
  const last = (payload as unknown as { messages: { content: string; status?: string }[] }).messages.at(-1)
  assert.ok(last)
  return last
}


describe('a provider', () => {
  it('that never answers, or stops in the middle, is left when the run is aborted, and what it had said is kept', async (test) => {
    const { socket, upstream } = await stage(test)
    const runs = ['hang', 'stuck'].map((model) => ask(socket, model))
    await socket.first(() => socket.events('chat.started').length === 2 && socket.events('chat.delta').length === 1)
    // A run has begun before its model is asked; one that is aborted earlier asks nobody.
    await upstream.asked('hang')
    for (const { runId } of socket.events('chat.started')) assert.partialDeepStrictEqual(await socket.call('chat.abort', { runId: String(runId) }), { payload: { aborted: true } })
    for (const run of runs) assert.partialDeepStrictEqual(await run, { ok: false, error: { code: 'CANCELLED' } })
    await Promise.all([upstream.closed('hang'), upstream.closed('stuck')])
    assert.partialDeepStrictEqual(await lastMessage(socket, 'hang'), { content: '', status: 'aborted' })
    assert.partialDeepStrictEqual(await lastMessage(socket, 'stuck'), { content: 'Well', status: 'aborted' })
  })

  it('that trickles, byte by byte or by half characters, is heard to the end', async (test) => {
    const { socket } = await stage(test)
    for (const model of ['trickle', 'halves']) {
      assert.partialDeepStrictEqual(await ask(socket, model), { ok: true, payload: { response: WORDS } })
      assert.equal(socket.events('chat.delta').filter(({ sessionKey }) => sessionKey === model).map(({ delta }) => delta).join(''), WORDS)
    }
  })

  it('that is cut off is said to be, by its name, and what it had said is kept', async (test) => {
    const { socket } = await stage(test)
    const { ok, error } = await ask(socket, 'cut')
    assert.deepEqual([ok, (error as JsonObject)['code']], [false, 'SERVICE_UNAVAILABLE'])
    assert.match(String((error as JsonObject)['message']), /^p /)
    assert.partialDeepStrictEqual(await lastMessage(socket, 'cut'), { content: 'Half an ans', status: 'failed' })
  })

  for (const [model, what] of [['text', /The answer grew beyond 8388608 characters/], ['thinking', /The answer grew beyond/], ['call', /^p called tools with more than 8388608 characters/]] as const) {
    it(`that sends a hundred megabytes (${model}) is stopped early, and the gateway stays small and goes on`, async (test) => {
      const { socket, gateway, upstream } = await stage(test)
      await ask(socket, 'calm')
      const before = await residentBytes(gateway.pid)
      const { ok, error } = await ask(socket, model)
      assert.deepEqual([ok, (error as JsonObject)['code']], [false, 'PAYLOAD_TOO_LARGE'])
      assert.match(String((error as JsonObject)['message']), what)
      assert.ok((await upstream.closed(model)) < HUNDRED_MEGABYTES / 2)
      const grown = (await residentBytes(gateway.pid)) - before
      assert.ok(grown < 256 * MIB, `${grown} bytes more`)
      assert.equal((await lastMessage(socket, model)).status, 'failed')
      assert.partialDeepStrictEqual(await ask(socket, 'calm'), { ok: true, payload: { response: 'All is well.' } })
    })
  }
})
