/** A gateway that is told to stop while it is still starting: by a person who changed his mind, or a supervisor that is being stopped itself. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gatewayFor } from '../main-job/started.ts'
import { Dice } from './dice.ts'

const LAUNCHER = fileURLToPath(new URL('../../kernel/cli/launcher.mjs', import.meta.url))
const STOPS = 10
/** A start is over within so long, on most machines; where it is not, the later moments are early ones. */
const START_MS = 400

interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly printed: string
}

/** Starts one and tells it to stop so long after that; before Node itself has begun there is nobody who could listen. */
async function startedAndStopped(home: string, afterMs: number): Promise<Ending> {
  const env = { PATH: process.env['PATH'], ISOPOD_HOME: home }
  const child = spawn(process.execPath, [LAUNCHER, 'start', '--port', '0'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (printed += String(chunk)))
  await once(child, 'spawn')
  setTimeout(() => child.kill('SIGTERM'), afterMs)
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { code, signal, printed }
}

describe('a gateway that is told to stop while it starts', () => {
  it(`ends clean at ${STOPS} moments, leaves nothing half done, and keeps its first token for a start that shows it`, async (test) => {
    const dice = new Dice()
    test.diagnostic(`FAULT_SEED=${dice.seed}`)
    const home = await mkdtemp(join(tmpdir(), 'isopod-home-'))
    test.after(() => rm(home, { recursive: true, force: true }))
    let shown: string | undefined
    for (let stop = 0; stop < STOPS; stop += 1) {
      const afterMs = dice.below(START_MS)
      const { code, signal, printed } = await startedAndStopped(home, afterMs)
      const when = `after ${afterMs} ms: ${printed} (again with FAULT_SEED=${dice.seed})`
      // Until it listens for signals nothing is open, and the system ends it.
      assert.ok(signal === 'SIGTERM' ? printed === '' : code === 0, `${code} ${signal} ${when}`)
      const token = /ISOPOD_TOKEN=(\S+)/.exec(printed)?.[1]
      assert.ok(shown === undefined || token === undefined, `a second token was shown ${when}`)
      shown ??= token
      const left = await readdir(home)
      assert.deepEqual(left.filter((name) => /holder|-wal|partial|tmp/.test(name)), [], when)
    }
    const gateway = await gatewayFor(test, { home, ownToken: true })
    assert.doesNotMatch(await gateway.log(), /did not end by itself|"level":"(warn|error|fatal)"/)
    const token = shown ?? gateway.token
    assert.match(token, /^isopod_/)
    assert.equal((await gateway.fetch('/v1/models', { headers: { authorization: `Bearer ${token}` } })).status, 200)
  })
})
