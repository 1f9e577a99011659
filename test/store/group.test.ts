import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StoreFailure } from '../../kernel/store/driver.ts'
import { engine } from '../../kernel/store/engine.ts'
import { open, outcome } from './place.ts'

const { DatabaseSync } = engine()

test('many writers at once share a few commits, and each is answered', async (t) => {
  const { driver } = await open(t)
  const before = driver.stats().commits
  const writers = Array.from({ length: 64 }, (_, at) => driver.namespace(`writer-${at}`).write([{ append: 'log', value: at }]))
  assert.equal(driver.stats().pending, 64)
  assert.deepEqual(await Promise.all(writers), Array.from({ length: 64 }, () => [1]))
  const { commits, writes, pending } = driver.stats()
  assert.deepEqual([commits - before, writes, pending], [1, 64, 0])
})

test('a group in which every writer meets a conflict commits nothing', async (t) => {
  const { driver } = await open(t)
  const store = driver.namespace('one')
  await assert.rejects(store.write([{ put: 'notes', key: 'a', value: 1, ifVersion: 7 }]), { code: 'conflict' })
  const { commits, conflicts, trouble } = driver.stats()
  assert.deepEqual([commits, conflicts, trouble], [0, 1, undefined])
})

test('a full disk refuses with `unavailable`, writes nothing by half, and takes writes again when there is room', async (t) => {
  const { driver, log } = await open(t, { maxBytes: 200_000 })
  const store = driver.namespace('one')
  const failures: StoreFailure[] = []
  driver.onFailure((failure) => failures.push(failure))
  await store.write([{ put: 'big', key: 'ballast', value: 'x'.repeat(100_000) }])
  const half = { append: 'log', value: 'of a transaction that does not fit' } as const
  const full = await outcome(store.write([half, { put: 'big', key: 'straw', value: 'x'.repeat(100_000) }]))
  assert.deepEqual(full, { code: 'unavailable', message: 'There is no room left on the disk', retryable: true })
  assert.deepEqual([await store.read('log'), (await store.list('big')).map(({ key }) => key)], [[], ['ballast']])
  assert.match(driver.stats().trouble ?? '', /no room/)
  assert.deepEqual(failures, [{ kind: 'disk', message: 'There is no room left on the disk', final: false }])

  await store.write([{ remove: 'big', key: 'ballast' }])
  assert.deepEqual(await store.write([half, { put: 'big', key: 'straw', value: 'x'.repeat(100_000) }]), [1, 1])
  assert.equal(driver.stats().trouble, undefined)
  assert.deepEqual(log.lines.map(({ level }) => level), ['error', 'info'])
})

test('a write that does not fit takes none of its neighbours with it', async (t) => {
  const { driver } = await open(t, { maxBytes: 200_000 })
  const store = driver.namespace('one')
  const neighbours = (from: number) => Array.from({ length: 5 }, (_, at) => outcome(store.write([{ append: 'log', value: from + at }])))
  const before = neighbours(0)
  const large = outcome(store.write([{ append: 'log', value: 'large' }, { put: 'big', key: 'k', value: 'x'.repeat(400_000) }]))
  const after = neighbours(5)
  assert.deepEqual(await Promise.all(before), [1, 2, 3, 4, 5].map((seq) => ({ value: [seq] })))
  assert.equal('code' in (await large) && (await large as { code: unknown }).code, 'unavailable')
  assert.deepEqual(await Promise.all(after), [6, 7, 8, 9, 10].map((seq) => ({ value: [seq] })))
  assert.deepEqual((await store.read('log')).map(({ value }) => value), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('a database that another program has locked refuses writes, still answers reads, and takes writes again afterwards', async (t) => {
  const { driver, path } = await open(t, { busyMs: 1 })
  const store = driver.namespace('one')
  await store.write([{ put: 'notes', key: 'a', value: 1 }])
  const other = new DatabaseSync(path)
  other.exec('BEGIN IMMEDIATE')
  const refused = [1, 2, 3].map((value) => outcome(store.write([{ put: 'notes', key: 'a', value: 1 + value }])))
  const read = store.get('notes', 'a')
  const locked = { code: 'unavailable', message: 'Another program has the database locked', retryable: true }
  assert.deepEqual(await Promise.all(refused), [locked, locked, locked])
  assert.deepEqual(await read, { key: 'a', value: 1, version: 1 })
  other.exec('ROLLBACK')
  other.close()
  assert.deepEqual(await store.write([{ put: 'notes', key: 'a', value: 9 }]), [2])
})

test('more than ten thousand waiting calls are refused with `unavailable`, and those within are answered', async (t) => {
  const { driver } = await open(t)
  const store = driver.namespace('one')
  const calls = Array.from({ length: 10_010 }, () => outcome(store.get('notes', 'a')))
  const ended = await Promise.all(calls)
  assert.equal(ended.filter((end) => 'value' in end).length, 10_000)
  assert.deepEqual(ended.at(-1), { code: 'unavailable', message: 'The store has more to do than it can hold: try again in a moment', retryable: true })
  assert.deepEqual(await store.write([{ put: 'notes', key: 'a', value: 1 }]), [1])
})

test('values that wait are bounded by their size too', async (t) => {
  const { driver } = await open(t)
  const store = driver.namespace('one')
  const value = 'x'.repeat(15 * 1024 * 1024)
  const ended = await Promise.all(Array.from({ length: 9 }, (_, at) => outcome(store.write([{ put: 'big', key: `${at}`, value }]))))
  assert.equal(ended.filter((end) => 'value' in end).length, 8)
  assert.equal('code' in ended[8]! && ended[8].code, 'unavailable')
})
