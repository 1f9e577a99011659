/** A plugin that the owner trusts computes and lets nobody else run: the owner hears of it, by its name. */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { gatewayFor, type StartedGateway } from '../main-job/started.ts'

const TWO_SECONDS = 2_000

/** Computes at once, after waiting for something, or before waiting for something. */
const CODE = `
  import { definePlugin } from '@isopod/plugin-api'

  const compute = () => {
    const end = performance.now() + ${TWO_SECONDS}
    while (performance.now() < end);
  }
  const turn = () => new Promise((resolve) => setImmediate(resolve))

  export default definePlugin((gateway) => {
    gateway.hooks.methods.tap('greedy', (methods) => {
      const add = (name, handle) => methods.add({ name: 'greedy.' + name, scope: 'read', handle })
      add('now', () => (compute(), {}))
      add('later', async () => (await turn(), compute(), {}))
      add('before', async () => (compute(), await turn(), {}))
      add('between', async () => (await turn(), compute(), await turn(), {}))
    })
  })
`

const ALONE = /stood still for \d+\.\d s, in the code of greedy 1\.2\.3\. Nobody was answered meanwhile/
/** One that goes on waiting afterwards is named among those who wait as it does. */
const NAMED = { now: ALONE, later: ALONE, before: ALONE, between: /in the code of (one of )?greedy 1\.2\.3/ }

async function greedyGateway(test: TestContext): Promise<StartedGateway> {
  const home = await mkdtemp(join(tmpdir(), 'isopod-home-'))
  const folder = join(home, 'greedy')
  await mkdir(folder)
  const manifest = { name: 'isopod-plugin-greedy', version: '1.2.3', type: 'module', exports: './index.ts', isopod: { id: 'greedy', api: '^1.0.0' } }
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest))
  await writeFile(join(folder, 'index.ts'), CODE)
  return gatewayFor(test, { home, config: 'plugins: { greedy: { from: ./greedy, trust: full } }' })
}

describe('an event loop that a trusted plugin holds for two seconds', () => {
  for (const [how, named] of Object.entries(NAMED)) {
    it(`is said in the log with the plugin's name (${how})`, async (test) => {
      const gateway = await greedyGateway(test)
      const [greedy, other] = [await gateway.socket(), await gateway.socket()]
      const computing = greedy.call(`greedy.${how}`)
      // Somebody else is served first afterwards, and is not to blame.
      const others = Array.from({ length: 5 }, () => other.call('session.list'))
      assert.partialDeepStrictEqual(await computing, { ok: true })
      await Promise.all(others)
      const [line = ''] = /The event loop stood still[^\n]*greedy[^\n]*/.exec(await gateway.logs(/stood still[^\n]*greedy/)) ?? []
      assert.match(line, named)
    })
  }

  it('leaves the gateway alive and not ready, with the reason for who holds a credential', async (test) => {
    const gateway = await greedyGateway(test)
    assert.equal((await gateway.fetch('/readyz')).status, 200)
    const socket = await gateway.socket()
    await socket.call('greedy.now')
    const [live, ready] = [await fetch(new URL('/healthz', gateway.url)), await fetch(new URL('/readyz', gateway.url))]
    assert.deepEqual([live.status, ready.status, await ready.json()], [200, 503, { ok: false, status: 'not_ready' }])
    const { payload } = await socket.call('system.health', { probe: 'ready' })
    assert.match(JSON.stringify(payload), /"not_ready".*the event loop stood still for .* in the code of greedy 1\.2\.3/)
  })
})
