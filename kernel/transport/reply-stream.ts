/**
 * A reply sent piece by piece, whichever library carries it. It keeps the two promises of `BodyWriter`: a write resolves
 * when the reader can take more, and rejects once the reader has gone. It knows the connection as something that takes a
 * piece and says whether there is room for the next.
 */
import type { BodyWriter } from './exchange.ts'
import { clientGone } from './departure.ts'

interface ReplySink {
  /** Answers false where the piece had to be kept because the reader is behind. */
  write(chunk: string | Uint8Array): boolean
  end(): void
}

const ROOM = Promise.resolve()

export class ReplyStream implements BodyWriter {
  readonly #sink: ReplySink
  #state: 'open' | 'ended' | 'gone' = 'open'
  #full = false
  #waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = []

  constructor(sink: ReplySink) {
    this.#sink = sink
  }

  write(chunk: string | Uint8Array): Promise<void> {
    if (this.#state === 'ended') return ROOM
    if (this.#state === 'gone') return rejected()
    // An empty piece would be the end in chunked coding.
    if (chunk.length > 0 && !this.#sink.write(chunk)) this.#full = true
    return this.#full ? this.#room() : ROOM
  }

  end(): void {
    if (this.#state !== 'open') return
    this.#state = 'ended'
    this.#sink.end()
    this.#settle((waiter) => waiter.resolve())
  }

  /** The reader took what was kept. */
  drained(): void {
    this.#full = false
    this.#settle((waiter) => waiter.resolve())
  }

  /** The reader went away. */
  abandon(): void {
    if (this.#state !== 'open') return
    this.#state = 'gone'
    this.#settle((waiter) => waiter.reject(clientGone()))
  }

  #room(): Promise<void> {
    return guarded(
      new Promise<void>((resolve, reject) => {
        this.#waiting.push({ resolve, reject })
      }),
    )
  }

  #settle(settle: (waiter: { resolve: () => void; reject: (error: Error) => void }) => void): void {
    const waiting = this.#waiting
    this.#waiting = []
    waiting.forEach(settle)
  }
}

function rejected(): Promise<void> {
  return guarded(Promise.reject(clientGone()))
}

/** A writer that does not look at its promise must not bring the process down when its reader leaves. */
function guarded(promise: Promise<void>): Promise<void> {
  promise.catch(() => {})
  return promise
}
