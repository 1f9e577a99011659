/**
 * How often one credential may ask: HTTP requests and upgrades, calls on open sockets, and sockets open at once; and an
 * address, before it has shown one. Each key has its own allowance, so one client cannot starve another. It knows keys and
 * numbers only; who is not limited at all (plugins, the kernel's own calls) never comes here.
 */
import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import type { Limits } from '../limits.ts'

/** How many keys are remembered per kind; beyond it the one that asked longest ago starts afresh. */
export const KEYS_REMEMBERED = 10_000

const MINUTE_MS = 60_000

/**
 * What is counted per minute: `request` an HTTP request or an upgrade of a credential, `stranger` an upgrade from an address
 * that shows its credential later, `call` a call on an open socket.
 */
export type ThrottleKind = 'request' | 'stranger' | 'call'

/** The limits that are kept here; each is asked for anew, so that it may change. */
export type ThrottleLimits = Pick<Limits, 'requestsPerMinute' | 'callsPerMinute' | 'connections'>

interface Count {
  /** When the current minute of this key began, in the clock's elapsed milliseconds. */
  began: number
  current: number
  previous: number
}

/**
 * A sliding window in two numbers: the minute before counts by the share of it that still lies within the last 60 seconds.
 * A log of times would be exact and cost 48 KB for each busy key; a bucket that refills would let twice the limit through in
 * the first minute.
 */
export class Throttle {
  readonly #clock: Clock
  readonly #limits: ThrottleLimits
  /** Kinds apart, so that a flood of addresses cannot have a credential's count forgotten. */
  readonly #counts = {
    request: new LRUCache<string, Count>({ max: KEYS_REMEMBERED }),
    stranger: new LRUCache<string, Count>({ max: KEYS_REMEMBERED }),
    call: new LRUCache<string, Count>({ max: KEYS_REMEMBERED }),
  }
  /** Open connections by key. No bound of its own: it is as large as the number of open sockets. */
  readonly #open = new Map<string, number>()

  /** A limit of 0 means no limit. */
  constructor(clock: Clock, limits: ThrottleLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  /**
   * Takes one of `key`'s allowance. Undefined where it may go on, else the whole seconds until it may ask again.
   * @param now in the clock's elapsed milliseconds, where the caller has just read them.
   */
  take(key: string, kind: ThrottleKind, now = this.#clock.elapsed()): number | undefined {
    const limit = kind === 'call' ? this.#limits.callsPerMinute : this.#limits.requestsPerMinute
    if (limit === 0) return undefined
    const count = this.#count(key, kind, now)
    const waitMs = waitFor(count, limit, now - count.began)
    if (waitMs > 0) return Math.ceil(waitMs / 1000)
    count.current += 1
    return undefined
  }

  /** Takes one of `key`'s connections. Answers its release, which is idempotent, or undefined where all are taken. */
  connect(key: string): (() => void) | undefined {
    const open = this.#open.get(key) ?? 0
    if (this.#limits.connections !== 0 && open >= this.#limits.connections) return undefined
    this.#open.set(key, open + 1)
    let released = false
    return () => {
      if (released) return
      released = true
      this.#release(key)
    }
  }

  /** How many connections `key` has open. */
  connections(key: string): number {
    return this.#open.get(key) ?? 0
  }

  #release(key: string): void {
    const left = (this.#open.get(key) ?? 1) - 1
    if (left === 0) this.#open.delete(key)
    else this.#open.set(key, left)
  }

  /** The count of `key`, moved on to the minute that is running. */
  #count(key: string, kind: ThrottleKind, now: number): Count {
    const known = this.#counts[kind].get(key)
    const minutes = known === undefined ? Infinity : Math.floor((now - known.began) / MINUTE_MS)
    if (known === undefined || minutes >= 2) return this.#fresh(key, kind, now)
    if (minutes === 1) Object.assign(known, { began: known.began + MINUTE_MS, current: 0, previous: known.current })
    return known
  }

  #fresh(key: string, kind: ThrottleKind, now: number): Count {
    const count = { began: now, current: 0, previous: 0 }
    this.#counts[kind].set(key, count)
    return count
  }
}

/** Milliseconds until one more fits, 0 where it does now. `into` is how far the current minute has gone. */
function waitFor({ current, previous }: Count, limit: number, into: number): number {
  const room = limit - current - 1
  if (room < 0) return MINUTE_MS - into + fadedTo(limit - 1, current)
  return Math.max(0, fadedTo(room, previous) - into)
}

/** How many whole milliseconds into a minute the minute before, with `count` in it, weighs no more than `room`. */
function fadedTo(room: number, count: number): number {
  return count <= room ? 0 : Math.floor(((count - room) * MINUTE_MS) / count)
}
