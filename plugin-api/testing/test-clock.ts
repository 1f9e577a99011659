/** A clock that stands still until a test moves it. Timers fall due in order, each at its own moment. */
import { randomUUID } from 'node:crypto'
import type { Clock } from '@isopod/kernel/clock.ts'

interface Timer {
  due: number
  readonly every: number | undefined
  readonly callback: () => void
}

export class TestClock implements Clock {
  #now: number
  #elapsed = 0
  readonly #timers = new Set<Timer>()
  readonly #awaited = new Set<Promise<void>>()

  /** @param now milliseconds since 1970. */
  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  elapsed(): number {
    return this.#elapsed
  }

  after(ms: number, callback: () => void): () => void {
    return this.#set({ due: this.#elapsed + ms, every: undefined, callback })
  }

  every(ms: number, callback: () => void): () => void {
    return this.#set({ due: this.#elapsed + ms, every: Math.max(1, ms), callback })
  }

  id(): string {
    return randomUUID()
  }

  /** Lets time pass, and everything that falls due happen, with what follows from it in the same turn. */
  async advance(ms: number): Promise<void> {
    // What was asked for before has to have begun before time passes.
    while (this.#awaited.size > 0) await Promise.all(this.#awaited)
    await settle()
    const end = this.#elapsed + ms
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#move(next.due - this.#elapsed)
      if (next.every === undefined) this.#timers.delete(next)
      else next.due += next.every
      next.callback()
      await settle()
    }
    this.#move(end - this.#elapsed)
    await settle()
  }

  /** No time passes until this has happened. How it ends is for others to hear. */
  waitFor(happening: Promise<unknown>): void {
    const awaited: Promise<void> = happening.then(() => {}, () => {}).then(() => void this.#awaited.delete(awaited))
    this.#awaited.add(awaited)
  }

  /** Sets the wall clock, as an administrator or a time server might. What has elapsed is not touched. */
  jump(now: number): void {
    this.#now = now
  }

  #set(timer: Timer): () => void {
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  #next(end: number): Timer | undefined {
    return [...this.#timers].filter((timer) => timer.due <= end).sort((left, right) => left.due - right.due)[0]
  }

  #move(ms: number): void {
    this.#elapsed += ms
    this.#now += ms
  }
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
