/** The disk and the thread that keep everything, failing under a gateway that runs. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { Worker } from 'node:worker_threads'
import { startGateway as startHere } from '../../kernel/main.ts'
import { WebSocket } from 'ws'
import { gatewayFor, RpcSocket, startGateway } from '../main-job/started.ts'
import { dropBallast, ON_SMALL_DISK, whyNoDisk } from './disk.ts'

const PAGE = 4096
const LONG = 'x'.repeat(300_000)
const noDisk = whyNoDisk()

async function contents(socket: RpcSocket, sessionKey: string): Promise<string[]> {
  const { payload } = await socket.call('session.get', { sessionKey })
  return (payload as unknown as { messages: { role: string; content: string }[] }).messages.filter(({ role }) => role === 'user').map(({ content }) => content)
}

describe('a disk that is full', { skip: noDisk ?? false }, () => {
  it('refuses what cannot be kept, leaves the rest to be read, says so, and is written again when there is room', async (test) => {
    const gateway = await gatewayFor(test, { through: ON_SMALL_DISK })
    const socket = await gateway.socket()
    const kept: string[] = []
    const say = async (message: string) => {
      const reply = await socket.call('chat.run', { message, sessionKey: 'full' })
      if (reply['ok'] === true) kept.push(message)
      return reply
    }
    let reply = await say(`0 ${LONG}`)
    for (let turn = 1; reply['ok'] === true; turn += 1) reply = await say(`${turn} ${LONG}`)
    assert.partialDeepStrictEqual(reply, { error: { code: 'SERVICE_UNAVAILABLE', message: 'There is no room left on the disk' } })
    assert.ok(kept.length > 1)
    assert.deepEqual(await contents(socket, 'full'), kept)
    assert.deepEqual([(await gateway.fetch('/healthz')).status, (await gateway.fetch('/readyz')).status], [200, 503])
    assert.partialDeepStrictEqual(await socket.call('system.health', { probe: 'ready' }), { payload: { troubles: ['There is no room left on the disk'] } })

    await dropBallast(gateway)
    assert.partialDeepStrictEqual(await say('There is room again'), { ok: true })
    assert.equal((await gateway.fetch('/readyz')).status, 200)
    assert.deepEqual(await contents(socket, 'full'), kept)
    assert.deepEqual(await gateway.kill('SIGTERM'), { code: 0, signal: null })
  })
})

describe('a damaged database', () => {
  it('keeps the gateway from starting, says how to restore it, and is not touched', async (test) => {
    const first = await gatewayFor(test)
    const socket = await first.socket()
    for (let turn = 0; turn < 20; turn += 1) await socket.call('chat.run', { message: `${turn} ${'x'.repeat(3 * PAGE)}`, sessionKey: 'broken' })
    await first.kill('SIGTERM')
    const path = join(first.home, 'isopod.db')
    const file = await open(path, 'r+')
    await file.write(Buffer.alloc(4 * PAGE, 0xa5), 0, 4 * PAGE, 3 * PAGE)
    await file.close()
    const before = await readFile(path)

    await assert.rejects(startGateway({ home: first.home }), (thrown: Error) => {
      assert.match(thrown.message, new RegExp(`The database ${path} is damaged \\(.+\\)\\. Nothing was changed in it\\.[^]*restore a backup in their place`))
      assert.doesNotMatch(thrown.message, /\n\s+at /)
      return true
    })
    assert.ok(before.equals(await readFile(path)))
  })
})

const TOKEN = 'a-token-for-tests-that-nobody-guesses'

/** A gateway in this process, since nobody else can reach its thread; and a socket of it. */
async function gatewayWithThread(test: TestContext): Promise<{ readonly socket: RpcSocket; readonly thread: () => Worker }> {
  const threads: Worker[] = []
  const hear = (worker: Worker): void => void threads.push(worker)
  process.on('worker', hear)
  const home = await mkdtemp(join(tmpdir(), 'isopod-home-'))
  // Whoever asks again and again until the thread is back asks more often than a client may.
  await writeFile(join(home, 'gateway.yaml'), 'gateway: { limits: { callsPerMinute: 0 } }\n')
  const gateway = await startHere({ env: { ISOPOD_HOME: home, ISOPOD_TOKEN: TOKEN }, port: 0 })
  test.after(async () => {
    process.off('worker', hear)
    await gateway.close()
    await rm(home, { recursive: true, force: true })
  })
  const connection = new WebSocket(gateway.url.replace('http', 'ws'), { headers: { authorization: `Bearer ${TOKEN}` } })
  const socket = new RpcSocket(connection)
  await once(connection, 'open')
  const thread = () => {
    const newest = threads.at(-1)
    assert.ok(newest)
    return newest
  }
  return { socket, thread }
}

describe('the thread of the store', () => {
  it('may die under runs and is started again: what was answered is kept, nothing is kept twice', async (test) => {
    const { socket, thread } = await gatewayWithThread(test)
    const run = async (message: string) => ({ message, ok: (await socket.call('chat.run', { message, sessionKey: 'thread' }))['ok'] === true })
    const answered: string[] = []
    for (let round = 0; round < 3; round += 1) {
      const runs = Array.from({ length: 10 }, (_, at) => run(`round ${round} run ${at}`))
      const dying = thread()
      const exited = once(dying, 'exit')
      await Promise.race(runs)
      await Promise.all([dying.terminate(), exited])
      for (const { message, ok } of await Promise.all(runs)) if (ok) answered.push(message)
      let again = 0
      while (!(await run(`round ${round} again ${(again += 1)}`)).ok);
    }
    const said = await contents(socket, 'thread')
    assert.ok(answered.length > 0)
    assert.deepEqual(answered.filter((message) => !said.includes(message)), [])
    assert.deepEqual(said.filter((message, at) => said.indexOf(message) !== at), [])
    assert.partialDeepStrictEqual(await socket.call('system.health'), { payload: { status: 'healthy' } })
  })
})
