/** What the tests of this area share: a clock that moves when told to, a home that goes away, and heads of requests. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Clock } from '../../kernel/clock.ts'
import type { RequestHead } from '../../kernel/transport/exchange.ts'

export interface MovableClock extends Clock {
  /** Moves both clocks, and calls back whatever is due on the way. */
  move(ms: number): void
  /** Sets the time of day, which the other clock does not notice. */
  set(now: number): void
  /** Timers that are waiting. */
  readonly waiting: number
}

interface Timer {
  due: number
  readonly everyMs: number | undefined
  readonly callback: () => void
}

export function movableClock(): MovableClock {
  let [now, elapsed, ids] = [1_800_000_000_000, 0, 0]
  const timers = new Set<Timer>()
  const add = (ms: number, everyMs: number | undefined, callback: () => void): (() => void) => {
    const timer = { due: elapsed + ms, everyMs, callback }
    timers.add(timer)
    return () => void timers.delete(timer)
  }
  const ring = (until: number): boolean => {
    const [timer] = [...timers].filter(({ due }) => due <= until).toSorted((one, other) => one.due - other.due)
    if (timer === undefined) return false
    now += timer.due - elapsed
    elapsed = timer.due
    if (timer.everyMs === undefined) timers.delete(timer)
    else timer.due += timer.everyMs
    timer.callback()
    return true
  }
  return {
    now: () => now,
    elapsed: () => elapsed,
    after: (ms, callback) => add(ms, undefined, callback),
    every: (ms, callback) => add(ms, ms, callback),
    id: () => `id-${(ids += 1)}`,
    get waiting() {
      return timers.size
    },
    set: (time) => void (now = time),
    move(ms) {
      const until = elapsed + ms
      while (ring(until));
      now += until - elapsed
      elapsed = until
    },
  }
}

/** A directory for one test, removed after it. */
export async function temporaryHome(test: TestContext): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'isopod-auth-'))
  test.after(() => rm(home, { recursive: true, force: true }))
  return home
}

export function headWith(headers: Readonly<Record<string, string>> = {}, query = '', remoteAddress = '127.0.0.1'): RequestHead {
  return { method: 'GET', path: '/', query, headers: new Map(Object.entries(headers)), remoteAddress }
}

export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}
