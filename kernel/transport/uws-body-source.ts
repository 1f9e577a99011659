/**
 * The connection under a request body on uWebSockets. The library drops a body that comes slower than 16 KB a second
 * after ten seconds; a phone on a bad line is slower than that. Pausing and resuming starts its timer again, so each
 * sign of life earns another ten seconds, and silence still ends the connection.
 */
import { systemClock } from '../clock.ts'
import type { BodySource } from './request-body.ts'
import type { NativeResponse } from './uws-native.ts'

/** The library counts in steps of four seconds. */
const REARM_MS = 4_000

export class UwsBodySource implements BodySource {
  readonly #native: NativeResponse
  readonly #isAlive: () => boolean
  #paused = false
  #armedAt = systemClock.elapsed()

  constructor(native: NativeResponse, isAlive: () => boolean) {
    this.#native = native
    this.#isAlive = isAlive
  }

  pause(): void {
    if (this.#paused || !this.#isAlive()) return
    this.#paused = true
    this.#native.pause()
  }

  resume(): void {
    this.#paused = false
    this.#armedAt = systemClock.elapsed()
    if (this.#isAlive()) this.#native.resume()
  }

  /** Some of the body came, and more will. */
  received(): void {
    if (this.#paused || systemClock.elapsed() - this.#armedAt < REARM_MS) return
    this.pause()
    this.resume()
  }
}
