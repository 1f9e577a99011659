/** How a gateway ends when it is told to, and what the next one says where it was not: each test with processes of its own. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { testGateway } from '@isopod/testing'
import { gatewayFor } from '../main-job/started.ts'

const SLOW = '/slow 40\none two three four five six seven eight nine ten'

describe('a gateway that is told to stop', () => {
  it('finishes the run it is in, refuses what is new, closes its sockets with 1012 and its store clean, and exits with 0', async (test) => {
    const first = await gatewayFor(test)
    const [running, other] = [await first.socket(), await first.socket()]
    // One connection that stays open, as a balancer has.
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const status = async (path: string) => {
      const [response] = await once(get(new URL(path, first.url), { agent }), 'response')
      await text(response)
      return response.statusCode
    }
    assert.equal(await status('/readyz'), 200)
    const run = running.call('chat.run', { message: SLOW, sessionKey: 'last' })
    await running.first(({ type }) => type === 'chat.delta')
    const ended = first.kill('SIGTERM')
    await first.prints(/Stopping/)
    assert.partialDeepStrictEqual(await other.call('session.list'), { ok: false, error: { code: 'SERVICE_UNAVAILABLE' } })
    assert.deepEqual([await status('/healthz'), await status('/readyz')], [200, 503])
    assert.partialDeepStrictEqual(await run, { ok: true, payload: { sessionKey: 'last' } })
    agent.destroy()
    assert.deepEqual(await Promise.all([running.closed, other.closed]), [1012, 1012])
    assert.deepEqual(await ended, { code: 0, signal: null })
    assert.equal(existsSync(join(first.home, 'isopod.db-wal')), false)

    const second = await gatewayFor(test, { home: first.home })
    const { payload } = await (await second.socket()).call('session.get', { sessionKey: 'last' })
    assert.match(JSON.stringify(payload), /"role":"assistant","content":"[^"]*nine ten/)
    assert.doesNotMatch(await second.log(), /did not end by itself|interrupted/)
  })

  it('ends at once with 130 when it is told a second time, and what was open is interrupted', async (test) => {
    const first = await gatewayFor(test)
    const socket = await first.socket()
    socket.send('chat.run', { message: SLOW.replace('40', '60000'), sessionKey: 'cut' })
    const { data } = await socket.first(({ type }) => type === 'chat.delta')
    const { runId } = data as { runId: string }
    first.signal('SIGTERM')
    await first.prints(/Stopping/)
    assert.deepEqual(await first.kill('SIGTERM'), { code: 130, signal: null })

    const second = await gatewayFor(test, { home: first.home })
    assert.partialDeepStrictEqual(await (await second.socket()).call('chat.resume', { runId }), { payload: { status: 'interrupted' } })
  })

  it('lets no new connection in', async (test) => {
    const gateway = await gatewayFor(test)
    const socket = await gateway.socket()
    const run = socket.call('chat.run', { message: SLOW })
    await socket.first(({ type }) => type === 'chat.delta')
    const ended = gateway.kill('SIGTERM')
    await gateway.prints(/Stopping/)
    await assert.rejects(gateway.socket())
    await run
    await ended
  })
})

describe('a run that takes longer than a stopping gateway waits', () => {
  it('is cut off, told why, and kept with what it had said', async () => {
    const plugins = ['chat', 'sessions', 'models', 'tools', 'dialect-rpc']
    const first = await testGateway({ plugins, renewEvery: 0 })
    const client = first.client()
    const run = client.call('chat.run', { message: SLOW.replace('40', '60000'), sessionKey: 'long' })
    const refused = assert.rejects(run, { code: 'unavailable', message: /The gateway stopped while this ran/ })
    const { data } = await client.heard('chat.delta')
    const { runId } = data as { runId: string }
    await first.running.close(0)
    await refused
    const second = await testGateway({ plugins, store: first.store })
    assert.partialDeepStrictEqual(await second.client().call('chat.resume', { runId }), { status: 'failed', response: 'I ' })
    await second.close()
    await first.close()
  })
})

describe('a gateway that starts after one that was killed', () => {
  it('says who was cut off, how many runs were open and what became of them', async (test) => {
    const first = await gatewayFor(test)
    const socket = await first.socket()
    for (const sessionKey of ['a', 'b', 'c']) socket.send('chat.run', { message: SLOW.replace('40', '60000'), sessionKey })
    await socket.first(() => new Set(socket.events('chat.delta').map(({ sessionKey }) => sessionKey)).size === 3)
    await first.kill('SIGKILL')

    const second = await gatewayFor(test, { home: first.home })
    const log = await second.logs(/runs were open/)
    assert.match(log, new RegExp(`The gateway before this one \\(process ${first.pid}, since [^)]*, port \\d+\\) did not end by itself`))
    assert.match(log, /3 runs were open when the gateway stopped: they are marked interrupted/)
    await second.kill('SIGTERM')

    const third = await gatewayFor(test, { home: first.home })
    const again = await third.log()
    assert.equal(again.match(/did not end by itself/g)?.length, 1)
    assert.equal(again.match(/runs were open/g)?.length, 1)
  })
})
