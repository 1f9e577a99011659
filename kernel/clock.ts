/**
 * Time and randomness, passed in so that tests can hold them still. Nothing in the kernel reads the clock, sets a timer or
 * makes an identifier in any other way.
 */
import { randomUUID } from 'node:crypto'

export interface Clock {
  /** Milliseconds since 1970. May jump: never subtract two of them to measure. */
  now(): number
  /** Milliseconds on a clock that only goes forward. */
  elapsed(): number
  /** Calls back once after `ms`. Answers its own undo. Never keeps the process alive. */
  after(ms: number, callback: () => void): () => void
  /** Calls back every `ms` until undone. Never keeps the process alive. */
  every(ms: number, callback: () => void): () => void
  /** A fresh identifier, a UUID. */
  id(): string
}

/** Node fires a timer that is set for longer than this at once. */
const LONGEST_MS = 2 ** 31 - 1

export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(ms: number, callback: () => void) {
    const timer = setTimeout(callback, Math.min(ms, LONGEST_MS))
    timer.unref()
    return () => clearTimeout(timer)
  },
  every(ms: number, callback: () => void) {
    const timer = setInterval(callback, Math.min(ms, LONGEST_MS))
    timer.unref()
    return () => clearInterval(timer)
  },
  id: () => randomUUID(),
})
