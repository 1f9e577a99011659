import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Store } from '@isopod/plugin-api'
import { folder, open } from './place.ts'

/** Runs the writer and kills it as soon as it has said so many numbers. Answers all that it said. */
async function killedAfter(path: string, round: number, count: number): Promise<string[]> {
  const script = fileURLToPath(new URL('./writer.ts', import.meta.url))
  const child = spawn(process.execPath, [script, path, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const said: string[] = []
  for await (const line of createInterface({ input: child.stdout })) if (said.push(line) === count) child.kill('SIGKILL')
  return said
}

async function whole(store: Store, stream: string): Promise<unknown[]> {
  const values: unknown[] = []
  for (let after = 0; ; ) {
    const page = await store.read(stream, { after, limit: 1000 })
    if (page.length === 0) return values
    for (const { seq, value } of page) values[seq - 1] = value
    after = page.at(-1)!.seq
  }
}

test('whenever the process is killed, what it acknowledged is there and no transaction is there by half', async (t) => {
  const path = join(folder(t), 'isopod.db')
  const acknowledged: string[] = []
  for (let round = 0; round < 10; round++) {
    const said = await killedAfter(path, round, 1 + ((round * 37) % 101))
    assert.ok(said.length > 0)
    acknowledged.push(...said)
    const { driver } = await open(t, { path })
    const store = driver.namespace('one')
    const log = await whole(store, 'log')
    assert.deepEqual(await whole(store, 'mirror'), log)
    assert.deepEqual(acknowledged.filter((value) => !log.includes(value)), [])
    assert.equal(new Set(log).size, log.length)
    for (const { key, value } of await store.list('last')) assert.equal(value, log.findLast((written) => String(written).split('/')[1] === key))
    await driver.close()
  }
})
