import assert from 'node:assert/strict'
import { readFile } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'node:test'
import type { Gateway, Method, Plugin, Tool } from '@isopod/plugin-api'
import { actedInRegister, openedInRegister, PROMISED_IN_REGISTER } from '@isopod/plugin-api'
import { START_DEADLINE_MS } from '../../kernel/limits.ts'
import { all, House, methods, route, settled, tool, type Spec } from '../kernel/house.ts'

const good: Spec = { id: 'good', register: methods({ 'good.say': () => 'good' }) }
const dialect = (name: string): Plugin['register'] => (gateway) =>
  gateway.hooks.dialects.tap('d', (into) => into.add({ name, greet: () => ({ state: null, frames: [] }), decode: () => ({ state: null, wish: { do: 'nothing' } }), encode: () => ({ state: null, frames: [] }) }))
const model = (name: string): Plugin['register'] => (gateway) => gateway.hooks.models.tap('m', (into) => into.add({ name, async *stream() {} }))

/** Brings a bad plugin beside a good one that runs, and expects its failure to have changed nothing. */
async function fails(spec: Spec, reason: string | RegExp, house = new House()): Promise<House> {
  await house.want(good)
  const before = house.kernel.generation.instances.get('good')
  const report = await house.want(good, spec)
  const told = report.failed[spec.id] ?? ''
  if (typeof reason === 'string') assert.equal(told, reason)
  else assert.match(told, reason)
  assert.equal(house.reason(spec.id), told)
  assert.equal(house.state(spec.id), 'failed')
  assert.equal(house.kernel.generation.instances.get('good'), before)
  assert.equal(await house.client().call('good.say'), 'good')
  assert.equal(house.kernel.generation.instances.has(spec.id), false)
  return house
}

// What an author can get wrong

test('a plugin that throws in register fails with what it threw', async () => void (await fails({ id: 'bad', register: () => { throw new Error('no such luck') } }, 'no such luck')))

for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'fetch'] as const) {
  test(`a plugin that calls ${name} in register fails, and ${name} is itself again`, async () => {
    const before = globalThis[name]
    await fails({ id: 'bad', register: () => void (globalThis[name] as (...given: unknown[]) => unknown)(() => {}, 0) }, actedInRegister(name))
    assert.equal(globalThis[name], before)
  })
}

test('a plugin that opens a WebSocket in register fails', async () => void (await fails({ id: 'bad', register: () => void new WebSocket('ws://127.0.0.1:1') }, actedInRegister('WebSocket'))))

test('a plugin that reads a file in register fails', async () => {
  const read = Promise.withResolvers<void>()
  await fails({ id: 'bad', register: () => void readFile(new URL(import.meta.url), () => read.resolve()) }, openedInRegister('FSReqCallback'))
  await read.promise
})

test('a plugin that answers a promise from register fails, and what that promise becomes hurts nobody', async () => {
  await fails({ id: 'bad', register: (async () => { await settled(); throw new Error('late') }) }, PROMISED_IN_REGISTER)
  await settled()
  await settled()
})

test('a plugin that contributes in an async function fails, and so do its late additions', async () => {
  const late = (async (into: { add(item: object): void }) => { await settled(); into.add({}) }) as never
  await fails({ id: 'bad', register: (gateway) => gateway.hooks.methods.tap('m', late) }, PROMISED_IN_REGISTER)
  await settled()
  await settled()
})

test('what is tapped after register is refused, and is in no generation', async () => {
  const house = new House()
  let kept: Gateway | undefined
  let why = ''
  const add = (gateway: Gateway | undefined) => gateway?.hooks.methods.tap('m', (into) => into.add({ name: 'late.one', scope: 'read', handle: () => 1 }))
  await house.want({ id: 'p', register: (gateway) => void (kept = gateway), start: () => { try { add(kept) } catch (thrown) { why = (thrown as Error).message } } })
  await house.want({ id: 'p', version: '1.0.1', register: () => {} })
  assert.match(why, /^methods\.tap was called after `register` had returned/)
  assert.equal((await house.client().refusal('late.one')).code, 'method_not_found')
})

const method = (more: Partial<Method>): Plugin['register'] => (gateway) => gateway.hooks.methods.tap('m', (into) => into.add({ name: 'a.b', scope: 'read', handle: () => 1, ...more } as never))
const wrongs: readonly [string, Plugin['register'], RegExp][] = [
  ['a method without a noun', method({ name: 'say' }), /methods: name "say" is not `noun\.verb`/],
  ['a method without a body', method({ handle: undefined as never }), /methods: a\.b has no `handle`/],
  ['a method of no scope', method({ scope: 'root' as never }), /a\.b has the scope "root"/],
  ['a method that streams to anybody', method({ streams: true }), /only an internal method may/],
  ['a deadline that is no number', method({ deadlineMs: Number.NaN }), /a\.b has the deadline NaN/],
  ['a tool whose name no model takes', tool('Get-Weather'), /tools: name "Get-Weather"/],
  ['a tool with an unknown effect', (gateway) => gateway.hooks.tools.tap('t', (into) => into.add({ name: 'x', description: '', effects: ['fly'] as unknown as Tool['effects'], handle: () => 1 })), /has the effects \["fly"\]/],
  ['a route with an unknown verb', route('/x', 'good.say', 'get' as never), /has the verb "get"/],
  ['a route whose rest is not last', route('/x/{rest+}/y'), /routes: path/],
  ['a route onto no method', route('/x', 'none.such'), /`bad 1\.0\.0` serves GET \/x with none\.such, which no plugin offers/],
  ['a route onto any method that names none', route('/x', '*'), /calls any method, and has no `decode` to name one/],
  ['a route that is let in by nobody', (gateway) => gateway.hooks.routes.tap('r', (into) => into.add({ verb: 'GET', path: '/x', call: 'good.say', auth: 'mine' as never })), /has the auth "mine"; it must be one of token, public, own/],
  ['a route that reads its body in no known way', (gateway) => gateway.hooks.routes.tap('r', (into) => into.add({ verb: 'GET', path: '/x', call: 'good.say', body: 'xml' as never })), /has the body "xml"/],
  ['a dialect that cannot speak', (gateway) => gateway.hooks.dialects.tap('d', (into) => into.add({ name: 'mute' } as never)), /dialects: mute has no `greet`/],
  ['a model that cannot stream', (gateway) => gateway.hooks.models.tap('m', (into) => into.add({ name: 'mute' } as never)), /models: mute has no `stream`/],
  ['a tap without a function', (gateway) => gateway.hooks.callStarting.tap('t', undefined as never), /the tap `t` of callStarting brings no function/],
  ['a tap whose deadline is no number', (gateway) => gateway.hooks.callStarting.tap({ name: 't', deadlineMs: Number.NaN }, () => {}), /has the deadline NaN/],
  ['two taps of one name', (gateway) => { gateway.hooks.callStarting.tap('t', () => {}); gateway.hooks.callStarting.tap('t', () => {}) }, /two taps of callStarting are both named bad\/t/],
  ['the same method twice', all(method({}), method({})), /`bad 1\.0\.0` and `bad 1\.0\.0` both offer the method a\.b/],
]
for (const [what, register, reason] of wrongs) test(`a plugin with ${what} fails, and is told so`, async () => void (await fails({ id: 'bad', register }, reason)))

// What it is and what it needs

test('a plugin for another plugin API fails before its code is run', async () => {
  let ran = false
  await fails({ id: 'bad', api: '^2.0.0', register: () => void (ran = true) }, 'bad 1.0.0 was written for the plugin API ^2.0.0, and this gateway has 1.0.0')
  assert.equal(ran, false)
})

test('a plugin whose need is not there, or not in that version, fails before its code is run', async () => {
  let ran = false
  const register = () => void (ran = true)
  await fails({ id: 'bad', needs: { chat: '^1.0.0' }, register }, 'bad 1.0.0 needs chat ^1.0.0, which is not there')
  await fails({ id: 'bad', needs: { good: '^2.0.0' }, register }, 'bad 1.0.0 needs good ^2.0.0, found good 1.0.0')
  assert.equal(ran, false)
})

test('a plugin with a wrong config fails with all that is wrong', async () => {
  const schema = { type: 'object', required: ['url'], additionalProperties: false, properties: { url: { type: 'string' }, retries: { type: 'number' } } }
  await fails({ id: 'bad', schema, config: { retries: 'x', extra: 1 } }, 'the config of bad: url: is required; extra: is not known here; retries: must be number')
})

test('a plugin whose schema of its config is none fails alone, and says so', async () => {
  for (const schema of [{ type: 'objekt' }, { $ref: 'https://127.0.0.1:9/none.json' }, { $schema: 'http://json-schema.org/draft-07/schema#' }, { $async: true, type: 'string' }]) {
    const house = new House()
    const { brought, failed } = await house.want({ id: 'bad', schema, config: { a: 1 } }, { id: 'good' })
    assert.deepEqual(brought, ['good 1.0.0'])
    assert.match(failed['bad'] ?? '', /^the manifest of bad 1\.0\.0: its `config` is no JSON Schema this gateway can use/)
  }
})

test('code that cannot be imported fails the plugin, and so does a module that exports none', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'isopod-lifecycle-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const entry = (name: string) => pathToFileURL(join(folder, name)).href
  await writeFile(join(folder, 'throws.js'), 'throw new Error("broken module")')
  await writeFile(join(folder, 'empty.js'), 'export const nothing = 1')
  await fails({ id: 'bad', entry: entry('throws.js') }, 'broken module')
  await fails({ id: 'bad', entry: entry('empty.js') }, 'bad does not export a plugin as its default: use definePlugin')
})

test('code that cannot be imported is told without the folders it is in, and the log has them', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'isopod-lifecycle-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const broken: Readonly<Record<string, readonly [code: string, told: string]>> = {
    'lacks.js': ["import './not there.js'", "Cannot find module 'not there.js' imported from lacks.js"],
    'reads.js': ["import { readFileSync } from 'node:fs'\nreadFileSync(new URL('gone.json', import.meta.url))", "ENOENT: no such file or directory, open 'gone.json'"],
    'asks.js': ["throw new Error('see https://docs.example/a/b and @scope/name/index.js')", 'see https://docs.example/a/b and @scope/name/index.js'],
  }
  for (const [name, [code, told]] of Object.entries(broken)) {
    await writeFile(join(folder, name), code)
    const house = await fails({ id: 'bad', entry: pathToFileURL(join(folder, name)).href }, told)
    assert.ok(house.logged('error').includes('The code of bad 1.0.0 could not be imported'))
  }
})

test('a mistake in the grammar is told with the file and the line it is in', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'isopod-lifecycle-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const entry = (name: string) => pathToFileURL(join(folder, name)).href
  await writeFile(join(folder, 'index.ts'), "import './part.ts'\n")
  await writeFile(join(folder, 'part.ts'), "const fine = 1\n\nexport const pair = { a: 'x' b: 'y' }\n")
  const house = await fails({ id: 'bad', entry: entry('index.ts') }, /^part\.ts:3: Expected/)
  assert.ok(house.logged('error').includes('The code of bad 1.0.0 could not be imported'))
  await writeFile(join(folder, 'colours.ts'), 'const fine = 1\nenum Colour { Red }\n')
  await fails({ id: 'bad', entry: entry('colours.ts') }, /^colours\.ts:2: .*enum/)
})

test('what a plugin from elsewhere throws while it is loaded or registers is told with its line', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'isopod lifecycle-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const broken: Readonly<Record<string, readonly [code: string, told: RegExp]>> = {
    'throws.ts': ['const a = 1\nthrow new Error("no such luck")', /^no such luck \(throws\.ts:2\)$/],
    'misspells.ts': ['export default {\n  register: ({ hooks }) =>\n    hooks.mehtods.tap("a", () => {}),\n}', /^Cannot read .*'tap'\) \(misspells\.ts:3\)$/],
    'misnames.ts': ['export default {\n  register: ({ hooks }) => hooks.methods.tap("a", (into) => into.add({ name: "x" })),\n}', /^methods: name "x" is not `noun\.verb` \(misnames\.ts:2\)$/],
  }
  for (const [name, [code, told]] of Object.entries(broken)) {
    await writeFile(join(folder, name), code)
    await fails({ id: 'bad', builtIn: false, entry: pathToFileURL(join(folder, name)).href }, told)
  }
})

test('a module that never finishes loading fails, and holds up no later change', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'isopod-lifecycle-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'hangs.js'), 'await new Promise(() => {})')
  const house = new House()
  const change = house.want(good, { id: 'bad', entry: pathToFileURL(join(folder, 'hangs.js')).href })
  await house.clock.advance(START_DEADLINE_MS)
  assert.deepEqual((await change).failed, { bad: `bad did not load within ${START_DEADLINE_MS} ms` })
  assert.equal(await house.client().call('good.say'), 'good')
})

test('a plugin that must be walled, where there is no wall, fails', async () => void (await fails({ id: 'bad', trust: 'walled', builtIn: false }, /this version has no wall to put it behind/)))

// Start

test('a plugin that throws in start fails with what it threw, and is stopped', async () => {
  let stopped = 0
  await fails({ id: 'bad', start: () => { throw new Error('no network') }, stop: () => void (stopped += 1) }, '`start` failed: no network')
  assert.equal(stopped, 1)
})

test('a plugin that hangs in start fails after its deadline, and what it still does then is cut off', async () => {
  const house = new House()
  await house.want(good)
  let signal: AbortSignal | undefined
  const change = house.want(good, { id: 'bad', start: (ctx) => { signal = ctx.signal; return new Promise(() => {}) } })
  await house.clock.advance(START_DEADLINE_MS)
  assert.match((await change).failed['bad'] ?? '', /^`start` failed: `start` of bad 1\.0\.0 took longer than 10000 ms/)
  assert.equal(signal?.aborted, true)
  assert.equal(await house.client().call('good.say'), 'good')
})

test('one that was never started is not stopped', async () => {
  let stopped = 0
  await fails({ id: 'zebra', register: methods({ 'good.say': () => 'mine' }), start: () => {}, stop: () => void (stopped += 1) }, '`good 1.0.0` and `zebra 1.0.0` both offer the method good.say')
  assert.equal(stopped, 0)
})

test('those who need one that fails fail too, and say why; the others run', async () => {
  const house = new House()
  const report = await house.want(good, { id: 'base', start: () => { throw new Error('x') } }, { id: 'middle', needs: { base: '*' } }, { id: 'top', needs: { middle: '*' } })
  assert.deepEqual(report.failed, { base: '`start` failed: x', middle: 'middle 1.0.0 needs base *, which is not there', top: 'top 1.0.0 needs middle *, which is not there' })
  assert.deepEqual(report.brought, ['good 1.0.0'])
})

test('a plugin starts after what it needs, and can call it', async () => {
  const house = new House()
  const order: string[] = []
  const report = await house.want(
    { id: 'a', needs: { z: '*' }, start: async (ctx) => void order.push(String(await ctx.call('z.hi'))) },
    { id: 'z', register: methods({ 'z.hi': () => 'hi' }), start: () => void order.push('z') },
  )
  assert.deepEqual(report.failed, {})
  assert.deepEqual(order, ['z', 'hi'])
})

// Conflicts

const conflicts: readonly [string, Plugin['register'], Plugin['register'], string][] = [
  ['methods', methods({ 'a.b': () => 1 }), methods({ 'a.b': () => 2 }), 'offer the method a.b'],
  ['routes, whatever their segments are called', route('/v1/{id}/x'), route('/v1/{name}/x'), 'serve GET /v1/{}/x'],
  ['routes that take the rest', route('/v1/{rest+}'), route('/v1/{path+}'), 'serve GET /v1/{+}'],
  ['tools', tool('saw'), tool('saw'), 'offer the tool saw'],
  ['dialects', dialect('rpc'), dialect('rpc'), 'bring the dialect rpc'],
  ['model APIs', model('openai'), model('openai'), 'serve the model API openai'],
]
for (const [what, one, two, words] of conflicts) {
  test(`a conflict of ${what} names both plugins, and the one that runs stays`, async () => {
    const house = new House()
    await house.want(good, { id: 'two', register: two })
    const before = house.kernel.generation.instances.get('two')
    const report = await house.want(good, { id: 'one', version: '3.2.1', register: one }, { id: 'two', register: two })
    assert.match(report.failed['one'] ?? '', new RegExp(`^\`one 3\\.2\\.1\` and \`two 1\\.0\\.0\` both ${words.replaceAll(/[{}+/.]/g, '\\$&').replace('\\{\\}', '.*').replace('\\{\\+\\}', '.*')}`))
    assert.equal(house.kernel.generation.instances.get('two'), before)
  })
}

test('of two newcomers in conflict the later by id yields', async () => {
  const house = new House()
  const report = await house.want({ id: 'b', register: tool('x') }, { id: 'a', register: tool('x') })
  assert.deepEqual(Object.keys(report.failed), ['b'])
})

test('a stranger cannot push out what comes with the gateway by having an earlier id', async () => {
  const house = new House()
  const report = await house.want({ id: 'aaa', builtIn: false, register: tool('x') }, { id: 'tools', register: tool('x') })
  assert.deepEqual(Object.keys(report.failed), ['aaa'])
})

test('nobody can push out the kernel\'s own methods', async () => {
  const house = new House()
  const report = await house.want({ id: 'agent', register: methods({ 'system.methods': () => [] }) }, { id: 'kernel', register: methods({ 'system.methods': () => [] }) })
  assert.deepEqual(Object.keys(report.failed), ['agent'])
})

test('the gateway says its failures in the log', async () => {
  const house = await fails({ id: 'bad', register: () => { throw new Error('x') } }, 'x')
  assert.ok(house.logged('error').includes('plugin bad failed: x'))
})
