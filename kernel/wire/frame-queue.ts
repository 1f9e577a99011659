/**
 * Frames in the order they came, taken one at a time: while an earlier one is still being read, later ones wait. What may
 * wait is bounded, because a transport cannot be told to stop reading.
 */
import { BACKPRESSURE_BYTES, CALLS_PER_SOCKET } from '../limits.ts'

export class FrameQueue {
  /** Reads one frame; a promise where that takes time. Neither throws nor rejects. */
  readonly #take: (text: string) => Promise<void> | undefined
  #waiting: string[] = []
  #characters = 0
  #busy = false
  #over = false

  constructor(take: (text: string) => Promise<void> | undefined) {
    this.#take = take
  }

  /** Takes the frame now or in its turn. False where too many wait already. */
  push(text: string): boolean {
    if (this.#over) return true
    if (!this.#busy && this.#waiting.length === 0) {
      this.#read(text)
      return true
    }
    if (this.#waiting.length >= CALLS_PER_SOCKET || this.#characters + text.length > BACKPRESSURE_BYTES) return false
    this.#waiting.push(text)
    this.#characters += text.length
    return true
  }

  /** Nothing is taken before this has settled. */
  wait(something: Promise<unknown>): void {
    this.#busy = true
    const goOn = () => {
      this.#busy = false
      this.#takeAll()
    }
    something.then(goOn, goOn)
  }

  /** Nothing more is taken. */
  end(): void {
    this.#over = true
    this.#waiting = []
  }

  #takeAll(): void {
    while (!this.#busy) {
      const text = this.#waiting.shift()
      if (text === undefined) return
      this.#characters -= text.length
      this.#read(text)
    }
  }

  #read(text: string): void {
    const late = this.#take(text)
    if (late) this.wait(late)
  }
}
