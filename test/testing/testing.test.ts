import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
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
