/**
 * The store alone, through its own door and at `synchronous=FULL`: one writer that waits for each write, and 64 of them, whose
 * writes share commits. Then the same with 4 ms added to each commit, as on a slower disk.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../kernel/clock.ts'
import { openStore, type StoreDriver } from '../../kernel/store/driver.ts'
import { figure, type Figure } from './figure.ts'
import type { Stage } from './stage.ts'
import { summary } from './statistics.ts'

const SECTION = 'Store, synchronous=FULL'
const DISKS = [{ disk: 'this disk', worker: undefined }, { disk: '4 ms added to each commit', worker: new URL('./slow-worker.ts', import.meta.url) }]
const WRITERS = [1, 64]
/** About what a message of a conversation is. */
const VALUE = { role: 'assistant', text: 'x'.repeat(400) }
const quiet = { debug() {}, info() {}, warn() {}, error: (message: string) => console.error(message) }

export async function storeSection({ pace }: Stage): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const { disk, worker } of DISKS) {
    const folder = mkdtempSync(join(tmpdir(), 'isopod-bench-store-'))
    const store = await openStore({ path: join(folder, 'isopod.db'), clock: systemClock, log: quiet, ...(worker && { worker }) })
    for (const writers of WRITERS) {
      await write(store, writers, pace.warmSeconds)
      figures.push(told(`${disk}, ${writers === 1 ? 'one writer' : `${writers} writers`}`, await write(store, writers, pace.seconds)))
    }
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  }
  return figures
}

interface Written {
  readonly perSecond: number
  readonly commits: number
  readonly latencies: readonly number[]
}

/** Each writer appends to a stream of its own, as conversations do, and waits for it. */
async function write(store: StoreDriver, writers: number, seconds: number): Promise<Written> {
  const rows = store.namespace('bench')
  const latencies: number[] = []
  const before = store.stats().commits
  const began = performance.now()
  const writer = async (_: unknown, name: number) => {
    while (performance.now() - began < seconds * 1000) {
      const sentAt = performance.now()
      await rows.write([{ append: `writer-${name}`, value: VALUE }])
      latencies.push(performance.now() - sentAt)
    }
  }
  await Promise.all(Array.from({ length: writers }, writer))
  const took = (performance.now() - began) / 1000
  return { perSecond: latencies.length / took, commits: (store.stats().commits - before) / took, latencies }
}

function told(name: string, { perSecond, commits, latencies }: Written): Figure {
  const { p50, p99 } = summary(latencies)
  const remarks = [`${Math.round(commits)} commits/s`, `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`]
  return figure({ section: SECTION, name, value: perSecond, unit: 'writes/s', remarks, raw: { perSecond, commits, p50, p99 } })
}
