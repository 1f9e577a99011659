/**
 * The counting part of every job of the load client: it runs for a while unmeasured, so that both ends are warm, then counts
 * for the time it was given, and says how much processor time both ends took meanwhile. It knows no protocol.
 */
import { busySeconds, cpuSeconds } from './process-usage.ts'
import type { Load } from './job.ts'

/** More samples than this say nothing more about a percentile. */
const SAMPLES = 50_000

export interface MeasureOptions {
  readonly pid: number
  readonly warmSeconds: number
  readonly seconds: number
  readonly calls?: number
}

export class Measure {
  readonly #options: MeasureOptions
  readonly #over = Promise.withResolvers<void>()
  #count = 0
  #failures = 0
  #failure: string | undefined
  #latencies: number[] = []
  #firsts: number[] = []
  #running = true

  constructor(options: MeasureOptions) {
    this.#options = options
  }

  /** False once no further request is to be made. */
  get running(): boolean {
    return this.#running
  }

  /** So many replies have come as they should. */
  replied(count: number): void {
    this.#count += count
    if (this.#count >= (this.#options.calls ?? Infinity)) this.#over.resolve()
  }

  took(ms: number, firstMs?: number): void {
    if (this.#latencies.length >= SAMPLES) return
    this.#latencies.push(ms)
    if (firstMs !== undefined) this.#firsts.push(firstMs)
  }

  failed(what: string): void {
    this.#failures += 1
    this.#failure ??= what.slice(0, 500)
  }

  /** A lane is broken: what it would have done is missing from the figure, so the job is over. */
  broke(cause: Error): void {
    this.#over.reject(cause)
  }

  /** Resolves when the time, or the count, is full. Rejects where a lane broke. */
  async run(): Promise<Load> {
    const { pid, warmSeconds, seconds } = this.#options
    try {
      await this.#pass(warmSeconds)
      this.#reset()
      const [began, own, server, machine] = [performance.now(), process.cpuUsage(), cpuSeconds(pid), busySeconds()]
      await this.#pass(seconds)
      const tookSeconds = (performance.now() - began) / 1000
      const { user, system } = process.cpuUsage(own)
      const clientCpu = (user + system) / 1e6 / tookSeconds
      const serverCpu = cpuSeconds(pid) - server
      return {
        count: this.#count,
        failures: this.#failures,
        ...(this.#failure !== undefined && { failure: this.#failure }),
        seconds: tookSeconds,
        clientCpu,
        serverCpu,
        otherCores: Math.max(0, (busySeconds() - machine - serverCpu) / tookSeconds - clientCpu),
        latencies: this.#latencies,
        firsts: this.#firsts,
      }
    } finally {
      this.#running = false
    }
  }

  #reset(): void {
    this.#count = 0
    this.#failures = 0
    this.#failure = undefined
    this.#latencies = []
    this.#firsts = []
  }

  async #pass(seconds: number): Promise<void> {
    let timer
    const passed = new Promise<void>((resolve) => (timer = setTimeout(resolve, seconds * 1000)))
    await Promise.race([passed, this.#over.promise])
    clearTimeout(timer)
  }
}
