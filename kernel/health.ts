/**
 * What the gateway knows of its own condition: how late its event loop wakes, and whatever stands between it and its work.
 * It tells; what to do about it is for whoever asks.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { GatewayFacts } from '@isopod/plugin-api'
import type { Clock } from './clock.ts'

/** The delay is measured over this long, so that a stall is seen soon and forgotten soon. */
const WINDOW_MS = 10_000
/** A loop this late answers nobody in time: clients of health checks give up after about a second. */
const LATE_MS = 1_000
const NANOSECONDS = 1e6
/** How long one reading of the delay serves: no watcher asks more often than once a second. */
const FRESH_MS = 1_000

type Measured = 'eventLoopDelayMs' | 'startedAt' | 'uptimeMs' | 'troubles'

export interface HealthParts {
  readonly clock: Clock
  /** All facts that are not measured here. */
  readonly facts: () => Omit<GatewayFacts, Measured>
  /** What is wrong elsewhere, in sentences. */
  readonly troubles: () => readonly string[]
}

export class Health {
  readonly #parts: HealthParts
  readonly #startedAt: number
  readonly #began: number
  readonly #delay = monitorEventLoopDelay({ resolution: 20 })
  readonly #stopMeasuring: () => void
  #lastMs = 0
  #seen = { at: -Infinity, ms: 0 }

  constructor(parts: HealthParts) {
    this.#parts = parts
    this.#startedAt = parts.clock.now()
    this.#began = parts.clock.elapsed()
    this.#delay.enable()
    this.#stopMeasuring = parts.clock.every(WINDOW_MS, () => this.#measure())
  }

  get facts(): GatewayFacts {
    const eventLoopDelayMs = Math.max(this.#lastMs, this.#current())
    const late = eventLoopDelayMs > LATE_MS ? [`the event loop wakes ${Math.round(eventLoopDelayMs)} ms late`] : []
    const uptimeMs = this.#parts.clock.elapsed() - this.#began
    const troubles = [...this.#parts.troubles(), ...late]
    return { ...this.#parts.facts(), startedAt: this.#startedAt, uptimeMs, eventLoopDelayMs, troubles }
  }

  close(): void {
    this.#stopMeasuring()
    this.#delay.disable()
  }

  #measure(): void {
    this.#lastMs = this.#current()
    this.#delay.reset()
  }

  /** 0 where nothing has been measured yet. A percentile walks the whole histogram, so one serves for a while. */
  #current(): number {
    const at = this.#parts.clock.elapsed()
    if (at - this.#seen.at < FRESH_MS) return this.#seen.ms
    const ms = this.#delay.percentile(99) / NANOSECONDS
    this.#seen = { at, ms: Number.isFinite(ms) ? Math.max(0, Math.round(ms * 10) / 10) : 0 }
    return this.#seen.ms
  }
}
