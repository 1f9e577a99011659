/** What every test of the store needs: a folder that goes away, a clock that stands still, and a log that is kept. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Log } from '@isopod/plugin-api'
import type { Clock } from '../../kernel/clock.ts'
import { openStore, type StoreDriver, type StoreOptions } from '../../kernel/store/driver.ts'

/** A new folder, removed after the test. */
export function folder(t: Pick<TestContext, 'after'>): string {
  const path = mkdtempSync(join(tmpdir(), 'isopod-store-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A clock that moves when it is told to. */
export interface HandClock extends Clock {
  /** Moves time on and calls back what has come due, in the order of its time. */
  move(ms: number): void
}

export function handClock(start = 1_700_000_000_000): HandClock {
  let now = start
  let ids = 0
  const due = new Set<{ at: number; every: number; callback: () => void }>()
  const plan = (ms: number, every: number, callback: () => void) => {
    const timer = { at: now + ms, every, callback }
    due.add(timer)
    return () => void due.delete(timer)
  }
  return {
    now: () => now,
    elapsed: () => now - start,
    after: (ms, callback) => plan(ms, 0, callback),
    every: (ms, callback) => plan(ms, ms, callback),
    id: () => `id-${++ids}`,
    move(ms) {
      const end = now + ms
      for (;;) {
        const [next] = [...due].filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)
        if (next === undefined) break
        now = next.at
        if (next.every > 0) next.at += next.every
        else due.delete(next)
        next.callback()
      }
      now = end
    },
  }
}

export interface KeptLog extends Log {
  readonly lines: { readonly level: string; readonly message: string; readonly facts: object | undefined }[]
}

export function keptLog(): KeptLog {
  const lines: KeptLog['lines'] = []
  const at = (level: string) => (message: string, facts?: object) => void lines.push({ level, message, facts })
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

export interface OpenPlace {
  readonly driver: StoreDriver
  readonly path: string
  readonly clock: HandClock
  readonly log: KeptLog
}

/** The embedded store in a folder of its own, closed after the test. */
export async function open(t: Pick<TestContext, 'after'>, options: Partial<StoreOptions> = {}): Promise<OpenPlace> {
  const path = options.path ?? join(folder(t), 'isopod.db')
  const clock = handClock()
  const log = keptLog()
  const driver = await openStore({ path, clock, log, ...options })
  t.after(() => driver.close())
  return { driver, path, clock, log }
}

/** How a promise ended, as data. */
export async function outcome<Value>(promise: Promise<Value>): Promise<{ value: Value } | { code: unknown; message: string; retryable: unknown }> {
  try {
    return { value: await promise }
  } catch (thrown) {
    // Whatever was thrown, only three of its properties are looked at.
    const { code, message, retryable } = thrown as { code?: unknown; message: string; retryable?: unknown }
    return { code, message, retryable }
  }
}
