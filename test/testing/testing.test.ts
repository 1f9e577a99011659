import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { definePlugin } from '@isopod/plugin-api'
import { TestClock, testGateway } from '@isopod/testing'
import { methods, refusal } from '../kernel/house.ts'

test('timers of the test clock fall due in order, each at its own moment', async () => {
  const clock = new TestClock(1000)
  const fired: unknown[] = []
  clock.after(30, () => fired.push(['once', clock.elapsed()]))
  const undo = clock.every(20, () => fired.push(['every', clock.elapsed()]))
  clock.after(10, () => clock.after(5, () => fired.push(['nested', clock.elapsed()])))
  await clock.advance(45)
  undo()
  await clock.advance(100)
  assert.deepEqual(fired, [['nested', 15], ['every', 20], ['once', 30], ['every', 40]])
  assert.equal(clock.now(), 1145)
})

test('a jump of the wall clock moves no timer', async () => {
  const clock = new TestClock()
  let fired = false
  clock.after(10, () => (fired = true))
  clock.jump(0)
  assert.deepEqual([clock.now(), clock.elapsed(), fired], [0, 0, false])
})

test('what was asked for before time is moved has begun by then', async () => {
  const clock = new TestClock()
  const gateway = await testGateway({ plugins: [{ id: 'p', plugin: definePlugin(methods({ 'a.hang': () => new Promise(() => {}) })) }], clock, config: { gateway: { limits: { timeoutSeconds: 1 } } } })
  const refused = refusal(gateway.client().call('a.hang'))
  await clock.advance(1000)
  assert.equal((await refused).code, 'timeout')
  const closing = gateway.close()
  await clock.advance(31_000)
  await closing
})

test('a handler that changes its params fails in a test as it would on a socket', async (t) => {
  const gateway = await testGateway({ plugins: [{ id: 'p', plugin: definePlugin(methods({ 'a.spoil': (params: { x: number }) => { params.x = 2; return null } })) }] })
  t.after(() => gateway.close())
  assert.equal((await gateway.client().refusal('a.spoil', { x: 1 })).code, 'internal')
})

test('every plugin is brought anew after so many calls', async (t) => {
  let started = 0
  const plugin = definePlugin({ register: methods({ 'a.one': () => 1 }), start: () => void (started += 1) })
  const gateway = await testGateway({ plugins: [{ id: 'p', plugin }], renewEvery: 2 })
  t.after(() => gateway.close())
  for (let i = 0; i < 4; i += 1) await gateway.client().call('a.one')
  assert.equal(started, 3)
})

/** A plugin that counts in its entry's module and in the one beside it, which it ought not to do. */
async function forgetful(t: TestContext): Promise<URL> {
  const folder = await mkdtemp(join(tmpdir(), 'isopod-counting-'))
  // Where the runner counts what tests reach, modules are kept; these tests are about what happens where it does not.
  const counting = process.env['NODE_V8_COVERAGE']
  delete process.env['NODE_V8_COVERAGE']
  t.after(() => {
    if (counting !== undefined) process.env['NODE_V8_COVERAGE'] = counting
    return rm(folder, { recursive: true })
  })
  const manifest = { name: 'counting', version: '1.0.0', type: 'module', exports: './index.ts', isopod: { id: 'counting', api: '^1.0.0' } }
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest))
  await writeFile(join(folder, 'beside.ts'), 'let calls: number = 0\nexport const count = (): number => (calls += 1)\n')
  await writeFile(join(folder, 'index.ts'), `
    import { count } from './beside.ts'
    let calls: number = 0
    export default { register({ hooks }) {
      hooks.methods.tap('m', (methods) => methods.add({ name: 'a.count', scope: 'read', handle: () => [(calls += 1), count()] }))
      hooks.routes.tap('r', (routes) => routes.add({ verb: 'GET', path: '/count', call: 'a.count' }))
    } }
  `)
  return pathToFileURL(`${folder}/`)
}

for (const wall of [false, true]) {
  test(`what a plugin counts in its modules is forgotten ${wall ? 'behind the wall' : 'in this process'}`, async (t) => {
    const plugin = await forgetful(t)
    const open = async (renewEvery: number) => {
      const gateway = await testGateway({ plugins: [plugin], wall, renewEvery })
      t.after(() => gateway.close())
      return gateway
    }
    const gateway = await open(3)
    const client = gateway.client()
    const counted: unknown[] = []
    for (let i = 0; i < 6; i += 1) counted.push(await client.call('a.count'))
    assert.deepEqual(counted, [[1, 1], [2, 2], [1, 1], [2, 2], [3, 3], [1, 1]])
    assert.deepEqual(await (await open(0)).client().call('a.count'), [1, 1])
  })
}

test('requests and upgrades are calls, after which plugins are brought anew', async (t) => {
  const gateway = await testGateway({ plugins: [await forgetful(t)], renewEvery: 3 })
  t.after(() => gateway.close())
  const counted = async () => (await gateway.fetch('/count')).json()
  assert.deepEqual(await counted(), [1, 1])
  ;(await gateway.connect()).close()
  assert.deepEqual(await counted(), [1, 1])
})

test('plugins are brought anew after 3 to 9 calls where the test does not say', async (t) => {
  let started = 0
  const starts: number[] = []
  const plugin = definePlugin({ register: methods({ 'a.one': () => 1 }), start: () => void (started += 1) })
  const gateway = await testGateway({ plugins: [{ id: 'p', plugin }] })
  t.after(() => gateway.close())
  for (let i = 1; i <= 60; i += 1) {
    const before = started
    await gateway.client().call('a.one')
    if (started > before) starts.push(i)
  }
  const gaps = starts.map((at, index) => at - (starts[index - 1] ?? 0))
  assert.ok(gaps.every((gap) => gap >= 3 && gap <= 9), String(gaps))
  assert.ok(new Set(gaps).size > 1, String(gaps))
})

test('a plugin that cannot be brought anew fails the test by name', async (t) => {
  let starts = 0
  const once = definePlugin({ register: methods({ 'a.one': () => 1 }), start: () => { if ((starts += 1) > 1) throw new Error('x') } })
  const gateway = await testGateway({ plugins: [{ id: 'once', plugin: once }], renewEvery: 2 })
  t.after(() => gateway.close())
  assert.equal(await gateway.client().call('a.one'), 1)
  await assert.rejects(gateway.client().call('a.one'), /plugin once failed when it was brought anew: .*x/)
})

test('a renewal is over before the test clock moves', async (t) => {
  const clock = new TestClock()
  // Behind the wall a renewal starts a process, which no turn of the event loop waits for.
  const gateway = await testGateway({ plugins: [await forgetful(t)], wall: true, clock, renewEvery: 1 })
  t.after(() => gateway.close())
  const { number } = gateway.kernel.generation
  const called = gateway.client().call('a.count')
  await clock.advance(1)
  assert.equal(gateway.kernel.generation.number, number + 1)
  await called
})

test('an answer that its own schema does not allow fails the test', async (t) => {
  const plugin = definePlugin((gateway) => gateway.hooks.methods.tap('m', (into) => into.add({ name: 'a.wrong', scope: 'read', result: { type: 'string' }, handle: () => 1 })))
  const gateway = await testGateway({ plugins: [{ id: 'p', plugin }] })
  t.after(() => gateway.close())
  await assert.rejects(gateway.client().call('a.wrong'), /a\.wrong answered something its own `result` does not allow/)
})

test('a plugin that fails fails the test by name, and leaves nothing behind', async () => {
  const mine = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('isopod-test-')).length
  const before = await mine()
  let stopped = 0
  const fine = { id: 'fine', plugin: definePlugin({ register: () => {}, start: () => {}, stop: () => void (stopped += 1) }) }
  const bad = { id: 'bad', plugin: definePlugin(() => { throw new Error('x') }) }
  await assert.rejects(testGateway({ plugins: [fine, bad] }), /plugin bad failed: x/)
  assert.equal(stopped, 1)
  assert.ok((await mine()) <= before)
})

test('a request that is aborted rejects, and the call behind it is cancelled', async (t) => {
  const entered = Promise.withResolvers<AbortSignal>()
  const plugin = definePlugin((gateway) => {
    gateway.hooks.methods.tap('m', (into) => into.add({ name: 'a.hang', scope: 'read', handle: (_, ctx) => { entered.resolve(ctx.signal); return new Promise((_resolve, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason as Error))) } }))
    gateway.hooks.routes.tap('r', (into) => into.add({ verb: 'GET', path: '/hang', call: 'a.hang' }))
  })
  const gateway = await testGateway({ plugins: [{ id: 'p', plugin }] })
  t.after(() => gateway.close())
  const leaving = new AbortController()
  const reply = gateway.fetch('/hang', { signal: leaving.signal })
  const signal = await entered.promise
  const cancelled = new Promise((resolve) => signal.addEventListener('abort', resolve))
  leaving.abort()
  await assert.rejects(reply, { name: 'AbortError' })
  await cancelled
})
