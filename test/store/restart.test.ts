import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import type { Worker } from 'node:worker_threads'
import type { StoreDriver, StoreFailure } from '../../kernel/store/driver.ts'
import { open, outcome } from './place.ts'

/** The threads that were started since, newest last; `next` waits for one more. */
function threads(t: TestContext): { readonly all: Worker[]; readonly next: () => Promise<Worker> } {
  const all: Worker[] = []
  const heard = new EventTarget()
  const hear = (worker: Worker): void => {
    all.push(worker)
    heard.dispatchEvent(new Event('worker'))
  }
  process.on('worker', hear)
  t.after(() => process.off('worker', hear))
  const next = () => new Promise<Worker>((resolve) => heard.addEventListener('worker', () => resolve(all.at(-1)!), { once: true }))
  return { all, next }
}

async function failure(driver: StoreDriver, kind: StoreFailure['kind']): Promise<StoreFailure> {
  return new Promise((resolve) => driver.onFailure((heard) => heard.kind === kind && resolve(heard)))
}

/** Asks until the store answers again. Each question goes to the thread and back, so this waits for it and not for time. */
async function works(driver: StoreDriver, exited: Promise<unknown>): Promise<void> {
  await exited
  const store = driver.namespace('probe')
  while ('code' in (await outcome(store.get('a', 'a')))) await new Promise((resolve) => setImmediate(resolve))
}

test('a thread that dies is started again, and what was acknowledged is there', async (t) => {
  const { all } = threads(t)
  const { driver, log } = await open(t)
  const store = driver.namespace('one')
  await store.write([{ put: 'notes', key: 'a', value: 'kept' }])
  const told = failure(driver, 'thread')
  const reading = outcome(store.list('notes'))
  await works(driver, all[0]!.terminate())
  assert.deepEqual([(await told).final, 'code' in (await reading) && (await reading as { code: unknown }).code], [false, 'unavailable'])
  assert.equal((await store.get('notes', 'a'))?.value, 'kept')
  assert.deepEqual(await store.write([{ put: 'notes', key: 'a', value: 'new' }]), [2])
  assert.deepEqual([driver.stats().state, driver.stats().restarts, driver.stats().trouble], ['open', 1, undefined])
  assert.deepEqual(log.lines.map(({ level }) => level), ['error', 'info'])
})

test('when the thread dies under load, a write was made exactly if it was not refused', async (t) => {
  const { all } = threads(t)
  const { driver, clock } = await open(t)
  const store = driver.namespace('one')
  for (let round = 0; round < 8; round++) {
    const thread = all.at(-1)!
    const writing = Array.from({ length: 40 }, (_, at) => [`${round}/${at}`, outcome(store.write([{ append: 'log', value: `${round}/${at}` }]))] as const)
    const later = (async () => {
      await writing[round * 5]![1]
      return Array.from({ length: 40 }, (_, at) => [`${round}/late/${at}`, outcome(store.write([{ append: 'log', value: `${round}/late/${at}` }]))] as const)
    })()
    if (round % 2 === 0) await writing[round]![1]
    await works(driver, thread.terminate())
    const written = new Set((await store.read('log', { limit: 1000 })).map(({ value }) => value))
    for (const [value, ending] of [...writing, ...(await later)]) {
      const end = await ending
      assert.equal(written.has(value), 'value' in end, `${value} ${JSON.stringify(end)}`)
      if ('code' in end) assert.deepEqual([end.code, end.retryable], ['unavailable', true])
    }
    clock.move(60_001) // it lived long enough for the next death to be its first
  }
})

test('writers whose commit was made but never told hear it from the next thread, and the others that nothing was written', async (t) => {
  const { all } = threads(t)
  const { driver } = await open(t, { worker: new URL('./mute-worker.ts', import.meta.url) })
  const store = driver.namespace('one')
  const [first, second, conflict] = [
    store.write([{ append: 'log', value: 'first' }]),
    store.write([{ put: 'notes', key: 'a', value: 1 }, { append: 'log', value: 'second' }]),
    outcome(store.write([{ put: 'notes', key: 'a', value: 2, ifVersion: 0 }])),
  ]
  const reading = outcome(store.read('log'))
  await new Promise((resolve) => queueMicrotask(() => resolve(undefined)))
  const next = outcome(store.write([{ append: 'log', value: 'of the next group, or of the same' }]))
  await works(driver, new Promise((resolve) => all[0]!.once('exit', resolve)))
  assert.deepEqual([await first, await second], [[1], [1, 2]])
  assert.deepEqual('code' in (await conflict) && (await conflict as { code: unknown }).code, 'conflict')
  assert.equal('code' in (await reading) && (await reading as { code: unknown }).code, 'unavailable')
  assert.equal((await store.read('log')).length, 'value' in (await next) ? 3 : 2)
})

test('a thread that cannot be started again is tried a few times, later and later, and then given up', async (t) => {
  const { all, next } = threads(t)
  const { driver, path, clock } = await open(t)
  const store = driver.namespace('one')
  const failures: StoreFailure[] = []
  driver.onFailure((failure) => failures.push(failure))
  const lost = failure(driver, 'lost')
  const second = next()
  for (const file of [path, `${path}-wal`, `${path}-shm`]) rmSync(file, { force: true })
  rmSync(path.slice(0, path.lastIndexOf('/')), { recursive: true })
  await all[0]!.terminate()
  await gone(await second)
  for (const wait of [200, 1_000, 5_000, 15_000]) {
    assert.equal(driver.stats().state, 'restarting')
    await assert.rejects(store.get('notes', 'a'), { code: 'unavailable', retryable: true })
    const [count, started] = [all.length, next()]
    clock.move(wait - 1)
    assert.equal(all.length, count)
    clock.move(1)
    await gone(await started)
  }
  assert.deepEqual([(await lost).final, driver.stats().state, all.length], [true, 'failed', 6])
  assert.deepEqual(failures.map(({ kind }) => kind), ['thread', 'lost'])
  await assert.rejects(store.write([{ drop: 'log' }]), { code: 'unavailable' })
})

test('a thread whose database was replaced by something else is not started again', async (t) => {
  const { all } = threads(t)
  const { driver, path } = await open(t)
  const lost = failure(driver, 'lost')
  for (const file of [`${path}-wal`, `${path}-shm`]) rmSync(file, { force: true })
  writeFileSync(path, 'not a database, but long enough to be taken for the beginning of one'.repeat(10))
  await all[0]!.terminate()
  assert.match((await lost).message, /is damaged \(file is not a database\)/)
  assert.equal(driver.stats().state, 'failed')
})

test('closing while the thread is being restarted ends it and refuses what waits', async (t) => {
  const { all } = threads(t)
  const { driver } = await open(t)
  const dead = new Promise((resolve) => all[0]!.once('exit', resolve))
  void all[0]!.terminate()
  const waiting = outcome(driver.namespace('one').write([{ append: 'log', value: 1 }]))
  await dead
  await driver.close()
  const end = await waiting
  assert.equal('code' in end ? end.code : 'written', 'unavailable')
  assert.equal(driver.stats().state, 'closed')
})

/** Waits until a thread has ended and everyone who listens has heard. */
async function gone(worker: Worker): Promise<void> {
  await new Promise((resolve) => worker.once('exit', resolve))
  await new Promise((resolve) => setImmediate(resolve))
}
