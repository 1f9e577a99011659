/** What the store makes of a disk that fails while it is being written, and of one that works again. */
import assert from 'node:assert/strict'
import { rmSync, statSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { PROBE_MS } from '../../kernel/store/bounds.ts'
import type { StoreDriver } from '../../kernel/store/driver.ts'
import { open, outcome } from './place.ts'

const worker = new URL('./failing-worker.ts', import.meta.url)
const FAILED = {
  code: 'unavailable',
  message: 'The disk failed (a sync did not succeed): nothing of this was kept. '
    + 'Ask again when the disk works: the store goes on by itself as soon as everything it had kept is safe again',
  retryable: true,
}

const append = (driver: StoreDriver, value: string) => outcome(driver.namespace('one').write([{ append: 'log', value }]))
const log = async (driver: StoreDriver) => (await driver.namespace('one').read('log')).map(({ value }) => value)

test('a commit whose sync fails refuses every writer of it and keeps what was there', async (t) => {
  const { driver, path } = await open(t, { worker })
  await append(driver, 'before')
  writeFileSync(`${path}.commits-fail`, '')
  assert.deepEqual(await Promise.all([append(driver, 'one'), append(driver, 'two')]), [FAILED, FAILED])
  assert.deepEqual([await log(driver), driver.stats().trouble], [['before'], FAILED.message])
})

test('a sync that works again is not believed before everything in the log was written into the database once more', async (t) => {
  const { driver, path } = await open(t, { worker })
  await append(driver, 'before')
  writeFileSync(`${path}.commits-fail`, '')
  writeFileSync(`${path}.checkpoints-fail`, '')
  assert.deepEqual(await append(driver, 'refused'), FAILED)
  rmSync(`${path}.commits-fail`)
  assert.deepEqual(await append(driver, 'refused too'), FAILED)
  assert.deepEqual(await log(driver), ['before'])
  rmSync(`${path}.checkpoints-fail`)
  assert.deepEqual(await append(driver, 'after'), { value: [2] })
  assert.deepEqual([await log(driver), driver.stats().trouble], [['before', 'after'], undefined])
})

test('what was refused is written over in the log, twice in a row as well', async (t) => {
  const { driver, path } = await open(t, { worker })
  await append(driver, 'before')
  writeFileSync(`${path}.commits-fail`, 'next')
  assert.deepEqual(await append(driver, 'refused'), FAILED)
  assert.equal(statSync(`${path}-wal`).size, 0)
  writeFileSync(`${path}.commits-fail`, 'next')
  writeFileSync(`${path}.checkpoints-fail`, 'next')
  assert.deepEqual(await append(driver, 'refused too'), FAILED)
  assert.notEqual(statSync(`${path}-wal`).size, 0)
  assert.deepEqual([await append(driver, 'after'), await log(driver)], [{ value: [2] }, ['before', 'after']])
})

test('a database that turns out to be damaged after the disk failed takes no more writes', async (t) => {
  const { driver, path } = await open(t, { worker })
  for (let at = 0; at < 50; at += 1) await append(driver, 'x'.repeat(8_000))
  writeFileSync(`${path}.commits-fail`, '')
  assert.deepEqual(await append(driver, 'refused'), FAILED)
  rmSync(`${path}.commits-fail`)
  writeFileSync(path, Buffer.alloc(statSync(path).size, 0xa5), { flag: 'r+' })
  const { message, retryable } = (await append(driver, 'never')) as { message: string; retryable: boolean }
  assert.deepEqual([message, retryable], ['The store is damaged and takes no more writes', false])
})

test('a store whose disk failed finds out by itself that it works again, and says so', async (t) => {
  const { driver, path, clock, log: lines } = await open(t, { worker })
  writeFileSync(`${path}.commits-fail`, '')
  assert.deepEqual(await append(driver, 'refused'), FAILED)
  rmSync(`${path}.commits-fail`)
  clock.move(PROBE_MS - 1)
  assert.equal(driver.stats().trouble, FAILED.message)
  clock.move(1)
  // Each look goes to the thread and back, so this waits for it and not for time.
  while (driver.stats().trouble !== undefined) await log(driver)
  assert.deepEqual(lines.lines.map(({ message }) => message), [FAILED.message, 'The store works again'])
  assert.deepEqual(await log(driver), [])
})
