/** The config as the switchboard: a started gateway whose owner edits `gateway.yaml` while it runs. */
import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { JsonObject } from '@isopod/plugin-api'
import { gatewayFor, type RpcSocket, type StartedGateway } from './started.ts'

interface Row extends JsonObject {
  readonly id: string
  readonly state: string
  readonly version: string
  readonly failed?: { readonly version: string; readonly reason: string }
}

/** The row of a plugin once it fits; looks again after each change of the config. */
async function rowWhen(socket: RpcSocket, id: string, fits: (row: Row | undefined) => boolean): Promise<Row | undefined> {
  for (;;) {
    const seen = socket.events('config.changed').length
    const { payload } = await socket.call('plugin.list')
    const row = (payload as unknown as { plugins: Row[] }).plugins.find((one) => one.id === id)
    if (fits(row)) return row
    await socket.first(() => socket.events('config.changed').length > seen)
  }
}

/** A plugin in a folder of the home, outside this repository. */
async function writePlugin(gateway: StartedGateway, folder: string, { id, version, code }: { id: string; version: string; code: string }): Promise<void> {
  const path = join(gateway.home, folder)
  await mkdir(path, { recursive: true })
  await writeFile(join(path, 'package.json'), JSON.stringify({ name: `isopod-plugin-${id}`, version, type: 'module', exports: './index.ts', isopod: { id, api: '^1.0.0' } }))
  await writeFile(join(path, 'index.ts'), code)
}

const greeter = (greeting: string) => `
  import { definePlugin } from '@isopod/plugin-api'

  export default definePlugin((gateway) => {
    gateway.hooks.methods.tap('greeter', (methods) => methods.add({
      name: 'greeter.say',
      scope: 'read',
      params: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
      handle: ({ name }) => ({ text: \`${greeting}, \${name}.\` }),
    }))
  })
`

/** A plugin that throws where nobody can catch it. */
const STRAY = `
  import { definePlugin } from '@isopod/plugin-api'

  export default definePlugin((gateway) => {
    gateway.hooks.methods.tap('stray', (methods) => {
      methods.add({ name: 'stray.reject', scope: 'read', handle: () => { void Promise.reject(new Error('forgotten')); return null } })
      methods.add({ name: 'stray.throw', scope: 'read', handle: () => { setTimeout(() => { throw new Error('late') }, 0); return null } })
    })
  })
`

/** The first line of a log that fits. */
function line(log: string, pattern: RegExp): JsonObject {
  return JSON.parse(log.split('\n').find((one) => pattern.test(one)) ?? '{}') as JsonObject
}

async function opened(test: TestContext): Promise<{ gateway: StartedGateway; socket: RpcSocket; edit(text: string): Promise<void> }> {
  const gateway = await gatewayFor(test, { config: '# mine\n' })
  const socket = await gateway.socket()
  test.after(() => socket.close())
  await socket.call('events.subscribe', { events: ['config.changed'] })
  return { gateway, socket, edit: (text) => writeFile(join(gateway.home, 'gateway.yaml'), text) }
}

describe('an edit of gateway.yaml while the gateway runs', () => {
  it('switches a plugin off, and with it what it served, and on again', async (test) => {
    const { gateway, socket, edit } = await opened(test)
    await edit('plugins: { openai: { enabled: false } }')
    await rowWhen(socket, 'openai', (row) => row?.state === 'disabled')
    assert.equal((await gateway.fetch('/v1/models')).status, 404)
    await edit('plugins: { openai: { enabled: true } }')
    await rowWhen(socket, 'openai', (row) => row?.state === 'ready')
    assert.equal((await gateway.fetch('/v1/models')).status, 200)
  })

  it('brings a plugin from a folder where the owner trusts it in so many words, and for as long as he does', async (test) => {
    const { gateway, socket, edit } = await opened(test)
    await writePlugin(gateway, 'greeter', { id: 'greeter', version: '1.0.0', code: greeter('Hello') })
    await edit('plugins: { greeter: { from: ./greeter } }')
    const walled = await rowWhen(socket, 'greeter', (row) => row?.state === 'failed')
    assert.match(walled?.failed?.reason ?? '', /trust: full/)
    await edit('plugins: { greeter: { from: ./greeter, trust: full } }')
    await rowWhen(socket, 'greeter', (row) => row?.state === 'ready')
    assert.partialDeepStrictEqual(await socket.call('greeter.say', { name: 'you' }), { ok: true, payload: { text: 'Hello, you.' } })
    await edit('plugins: { greeter: { from: ./greeter, trust: sandboxed } }')
    await rowWhen(socket, 'greeter', (row) => row?.state === 'failed')
    assert.partialDeepStrictEqual(await socket.call('greeter.say', { name: 'you' }), { ok: false, error: { code: 'METHOD_NOT_FOUND' } })
  })

  it('swaps a version for another without losing a call', async (test) => {
    const { gateway, socket, edit } = await opened(test)
    await writePlugin(gateway, 'one', { id: 'greeter', version: '1.0.0', code: greeter('Hello') })
    await writePlugin(gateway, 'two', { id: 'greeter', version: '2.0.0', code: greeter('Servus') })
    await edit('plugins: { greeter: { from: ./one, trust: full } }')
    await rowWhen(socket, 'greeter', (row) => row?.version === '1.0.0')
    const answers: JsonObject[] = []
    const caller = await gateway.socket()
    const swap = { done: false }
    const calling = (async () => {
      while (!swap.done) answers.push(await caller.call('greeter.say', { name: 'you' }))
      answers.push(await caller.call('greeter.say', { name: 'you' }))
    })()
    await edit('plugins: { greeter: { from: ./two, trust: full } }')
    await rowWhen(socket, 'greeter', (row) => row?.version === '2.0.0')
    swap.done = true
    await calling
    caller.close()
    assert.ok(answers.every(({ ok }) => ok === true))
    assert.deepEqual([...new Set(answers.map(({ payload }) => (payload as JsonObject)['text']))], ['Hello, you.', 'Servus, you.'])
  })

  it('changes nothing where the new version throws or takes what another serves, and says why', async (test) => {
    const { gateway, socket, edit } = await opened(test)
    await writePlugin(gateway, 'good', { id: 'greeter', version: '1.0.0', code: greeter('Hello') })
    const throwing = `import { definePlugin } from '@isopod/plugin-api'\n\nexport default definePlugin(() => { throw new Error('not today') })\n`
    await writePlugin(gateway, 'throws', { id: 'greeter', version: '2.0.0', code: throwing })
    await writePlugin(gateway, 'takes', { id: 'greeter', version: '3.0.0', code: greeter('x').replace('greeter.say', 'session.list') })
    await edit('plugins: { greeter: { from: ./good, trust: full } }')
    await rowWhen(socket, 'greeter', (row) => row?.state === 'ready')
    for (const [folder, why] of [['throws', /not today/], ['takes', /`greeter 3\.0\.0` and `sessions 1\.0\.0` both offer the method session\.list/]] as const) {
      await edit(`plugins: { greeter: { from: ./${folder}, trust: full } }`)
      const row = await rowWhen(socket, 'greeter', (one) => one?.failed !== undefined)
      assert.match(row?.failed?.reason ?? '', why)
      assert.deepEqual([row?.state, row?.version], ['ready', '1.0.0'])
      assert.partialDeepStrictEqual(await socket.call('greeter.say', { name: 'you' }), { payload: { text: 'Hello, you.' } })
      await edit('plugins: { greeter: { from: ./good, trust: full } }')
      await rowWhen(socket, 'greeter', (one) => one?.failed === undefined)
    }
  })

  it('is survived by the gateway where a trusted plugin forgets a promise, and a throw in its timer ends it in order', async (test) => {
    const { gateway, socket, edit } = await opened(test)
    await writePlugin(gateway, 'stray', { id: 'stray', version: '1.0.0', code: STRAY })
    await edit('plugins: { stray: { from: ./stray, trust: full } }')
    await rowWhen(socket, 'stray', (row) => row?.state === 'ready')
    await socket.call('stray.reject')
    const rejected = line(await gateway.logs(/promise was rejected/), /promise was rejected/)
    assert.partialDeepStrictEqual(rejected, { level: 'error', message: 'A promise was rejected in the code of stray 1.0.0 and nobody waited for it' })
    assert.partialDeepStrictEqual(await socket.call('system.ping'), { ok: true })
    await socket.call('stray.throw')
    assert.deepEqual(await gateway.ended(), { code: 1, signal: null })
    assert.equal(await socket.closed, 1012)
    assert.match(String(line(await gateway.log(), /Fatal/)['message']), /^Fatal: something was thrown in the code of stray 1\.0\.0 /)
  })

  it('keeps the last good config in force where the file is broken, and says where', async (test) => {
    const { gateway, socket, edit } = await opened(test)
    await edit('plugins: { openai: { enabled: false } }')
    await rowWhen(socket, 'openai', (row) => row?.state === 'disabled')
    await edit('plugins: { openai: { enabled: true }\nmodels: [')
    const log = join(gateway.home, 'logs', 'gateway.log')
    while (!/gateway\.yaml:\d+:\d+/.test(await readFile(log, 'utf8'))) await socket.call('system.ping')
    assert.equal((await rowWhen(socket, 'openai', () => true))?.state, 'disabled')
  })

  it('leaves a misspelt key out instead of taking down what it stands in', async (test) => {
    const { gateway, socket, edit } = await opened(test)
    const applied = socket.first((frame) => frame['type'] === 'config.changed')
    await edit('models: { defualt: nothing/at-all }\nplugins: { tools: { config: { denny: [x] } } }')
    await applied
    for (const id of ['models', 'tools', 'chat', 'openai']) assert.equal((await rowWhen(socket, id, () => true))?.state, 'ready', id)
    assert.equal((await gateway.fetch('/v1/models')).status, 200)
    const log = await readFile(join(gateway.home, 'logs', 'gateway.log'), 'utf8')
    assert.match(log, /models\.defualt is not known.*[Dd]id you mean default/)
    assert.match(log, /plugins\.tools\.config\.denny is not known.*did you mean deny/)
  })

  it('is made by plugin.enable and plugin.disable too, and keeps the owner\'s comments', async (test) => {
    const { gateway, socket, edit } = await opened(test)
    await edit('# my own words\nplugins:\n  openai: { enabled: true } # for the editor\n')
    await rowWhen(socket, 'openai', (row) => row?.state === 'ready')
    assert.partialDeepStrictEqual(await socket.call('plugin.disable', { id: 'openai' }), { ok: true, payload: { id: 'openai', state: 'disabled' } })
    const text = await readFile(join(gateway.home, 'gateway.yaml'), 'utf8')
    assert.equal(text, '# my own words\nplugins:\n  openai: { enabled: false } # for the editor\n')
    assert.partialDeepStrictEqual(await socket.call('plugin.enable', { id: 'openai' }), { ok: true, payload: { state: 'ready' } })
  })
})
