/**
 * Where lines go: a file descriptor written to one batch at a time, never waited for. A disk that is full or a reader that
 * has stopped must cost the gateway lines, not answers: what waits is bounded, what does not fit is counted, and the
 * count is written as soon as there is room again. It knows nothing of what the lines say.
 */
import { write, writeSync } from 'node:fs'
import type { Clock } from '../clock.ts'

/** What may wait while the disk is busy or full. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024
/** A batch is one write. */
const BATCH_BYTES = 256 * 1024
/** After an error the disk is left alone this long. */
const RETRY_MS = 1_000

export interface SinkOptions {
  readonly clock: Clock
  /** The descriptor to write to. Asked again for each batch, so that a file can be rotated between two. Undefined: not now. */
  readonly descriptor: () => number | undefined
  /** Told after each batch how much of it was written. */
  readonly written?: (bytes: number) => void
  /** The line that says how many were lost. */
  readonly lossLine: (lines: number) => string
}

export class Sink {
  readonly #options: SinkOptions
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #lost = 0
  #busy = false
  #paused: (() => void) | undefined
  #idle: (() => void)[] = []

  constructor(options: SinkOptions) {
    this.#options = options
  }

  /** Takes a line, its line feed included. Never throws and never waits. */
  write(line: string): void {
    const bytes = Buffer.from(line)
    if (this.#waitingBytes + bytes.length > MAX_WAITING_BYTES) this.#lost++
    else this.#add(bytes)
    this.#wake()
  }

  /** Resolves when everything has been written, or when the disk will not take it. */
  async flush(): Promise<void> {
    if (!this.#busy && (this.#waiting.length === 0 || this.#paused)) return
    await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  /** What still waits, at once: for a process that is about to end. */
  flushNow(): void {
    const descriptor = this.#options.descriptor()
    if (descriptor === undefined) return
    try {
      for (const bytes of this.#waiting.splice(0)) writeSync(descriptor, bytes)
    } catch {
      // The process is ending and the disk does not take it: there is nobody left to tell.
    }
  }

  #add(bytes: Buffer): void {
    this.#waiting.push(bytes)
    this.#waitingBytes += bytes.length
  }

  #wake(): void {
    if (this.#busy || this.#paused) return
    this.#busy = true
    setImmediate(() => void this.#drain()) // a burst of lines becomes one write
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0 || this.#lost > 0) {
      if (this.#lost > 0 && this.#waitingBytes < MAX_WAITING_BYTES / 2) this.#tellLoss()
      if (!(await this.#writeBatch())) {
        this.#pause()
        break
      }
    }
    this.#busy = false
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  #tellLoss(): void {
    this.#add(Buffer.from(this.#options.lossLine(this.#lost)))
    this.#lost = 0
  }

  /** False where nothing could be written; what was not written stays in the queue. */
  async #writeBatch(): Promise<boolean> {
    const descriptor = this.#options.descriptor()
    if (descriptor === undefined) return false
    const batch = Buffer.concat(this.#takeBatch())
    const length = await writeSome(descriptor, batch)
    this.#giveBack(batch.subarray(length))
    this.#options.written?.(length)
    return length > 0
  }

  #takeBatch(): Buffer[] {
    let bytes = 0
    let count = 0
    while (count < this.#waiting.length && bytes < BATCH_BYTES) bytes += this.#waiting[count++]?.length ?? 0
    this.#waitingBytes -= bytes
    return this.#waiting.splice(0, count)
  }

  #giveBack(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#waiting.unshift(bytes)
    this.#waitingBytes += bytes.length
  }

  #pause(): void {
    this.#paused = this.#options.clock.after(RETRY_MS, () => {
      this.#paused = undefined
      this.#wake()
    })
  }
}

/** How many bytes the descriptor took; 0 where it took none, for whatever reason. */
function writeSome(descriptor: number, bytes: Buffer): Promise<number> {
  return new Promise((resolve) => write(descriptor, bytes, (error, length) => resolve(error ? 0 : length)))
}
