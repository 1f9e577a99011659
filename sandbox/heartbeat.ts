/**
 * Asks a child again and again whether it is there. A child that lets several questions in a row go unanswered is stuck, in a
 * loop or in the collector, and can only be ended from outside. Questions are counted and not milliseconds: when this
 * process itself was held up, the answers are already waiting in the pipe.
 */
export interface HeartbeatParts {
  readonly everyMs: number
  /** How many questions in a row may go unanswered. */
  readonly misses: number
  readonly ask: (beat: number) => void
  readonly onSilence: (silentMs: number) => void
  /** Called at every beat, for what is bounded per beat. */
  readonly onBeat: () => void
}

export class Heartbeat {
  readonly #parts: HeartbeatParts
  #timer: NodeJS.Timeout | undefined
  #asked = 0
  #answered = 0

  constructor(parts: HeartbeatParts) {
    this.#parts = parts
  }

  start(): void {
    this.#timer = setInterval(() => this.#beat(), this.#parts.everyMs)
    this.#timer.unref()
  }

  /** The child answered. False where it answers what it was not asked. */
  heard(beat: number): boolean {
    if (beat <= this.#answered || beat > this.#asked) return false
    this.#answered = beat
    return true
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #beat(): void {
    const missed = this.#asked - this.#answered
    if (missed >= this.#parts.misses) {
      this.stop()
      this.#parts.onSilence(missed * this.#parts.everyMs)
      return
    }
    this.#parts.onBeat()
    this.#asked++
    this.#parts.ask(this.#asked)
  }
}
