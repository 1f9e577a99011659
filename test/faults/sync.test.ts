/** A disk whose syncs fail under a gateway that runs: it takes what is written, and does not promise to keep it. */
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { gatewayFor, startGateway, type RpcSocket } from '../main-job/started.ts'
import { breakSyncs, failingSync, healSyncs } from './failing-sync.ts'

const syncs = failingSync()
after(() => syncs.remove())
const SESSION = 'synced'

async function said(socket: RpcSocket): Promise<string[]> {
  const { payload } = await socket.call('session.get', { sessionKey: SESSION })
  return (payload as unknown as { messages: { role: string; content: string }[] }).messages.filter(({ role }) => role === 'user').map(({ content }) => content)
}

const say = (socket: RpcSocket, message: string) => socket.call('chat.run', { message, sessionKey: SESSION })

describe('a disk whose syncs fail', { skip: syncs.why ?? false }, () => {
  it('has every write refused with what to do, everything kept still read, and readiness and log say what happened', async (test) => {
    const gateway = await gatewayFor(test, { through: syncs.through })
    const socket = await gateway.socket()
    assert.equal((await say(socket, 'before'))['ok'], true)
    await breakSyncs(gateway)
    for (const message of ['during', 'during too']) {
      const { error } = await say(socket, message)
      assert.partialDeepStrictEqual(error, { code: 'SERVICE_UNAVAILABLE' })
      assert.match((error as { message: string }).message, /The disk failed \(a sync did not succeed\): nothing of this was kept\. Ask again when the disk works/)
    }
    assert.deepEqual(await said(socket), ['before'])
    assert.deepEqual([(await gateway.fetch('/healthz')).status, (await gateway.fetch('/readyz')).status], [200, 503])
    const log = await gateway.logs(/The disk failed/)
    assert.match(log, /isopod\.db"[^\n]*The disk failed \(a sync did not succeed\)/)
    assert.equal(log.match(/The disk failed/g)?.length, 1)
  })

  it('that heal are trusted once everything was written anew: the gateway goes on, and what it refused is never found', async (test) => {
    const gateway = await gatewayFor(test, { through: syncs.through })
    const socket = await gateway.socket()
    assert.equal((await say(socket, 'before'))['ok'], true)
    await breakSyncs(gateway)
    assert.equal((await say(socket, 'during'))['ok'], false)
    await healSyncs(gateway)
    assert.equal((await say(socket, 'after'))['ok'], true)
    assert.equal((await gateway.fetch('/readyz')).status, 200)
    await gateway.logs(/The store works again/)
    await gateway.kill('SIGKILL')
    const next = await gatewayFor(test, { home: gateway.home })
    assert.deepEqual(await said(await next.socket()), ['before', 'after'])
  })

  it('again, right after one that failed alone, leave nothing to be found either', async (test) => {
    const gateway = await gatewayFor(test, { through: syncs.through })
    const socket = await gateway.socket()
    assert.equal((await say(socket, 'before'))['ok'], true)
    for (const which of ['next', 'all'] as const) {
      await breakSyncs(gateway, which)
      assert.equal((await say(socket, which))['ok'], false)
    }
    await gateway.kill('SIGKILL')
    await healSyncs(gateway)
    const next = await gatewayFor(test, { home: gateway.home })
    assert.deepEqual(await said(await next.socket()), ['before'])
  })

  it('until the gateway is killed keep it from starting, and nothing is found afterwards that was refused', async (test) => {
    const gateway = await gatewayFor(test, { through: syncs.through })
    const socket = await gateway.socket()
    assert.equal((await say(socket, 'before'))['ok'], true)
    await breakSyncs(gateway)
    const refused = await Promise.all(Array.from({ length: 20 }, (_, at) => say(socket, `during ${at} ${'x'.repeat(20_000)}`)))
    assert.deepEqual(refused.filter(({ ok }) => ok === true), [])
    await gateway.kill('SIGKILL')
    await assert.rejects(startGateway({ home: gateway.home, through: syncs.through }), /The disk failed under the database [^]*isopod\.db[^]*start again when it works/)
    await healSyncs(gateway)
    const next = await gatewayFor(test, { home: gateway.home })
    assert.deepEqual(await said(await next.socket()), ['before'])
  })
})
