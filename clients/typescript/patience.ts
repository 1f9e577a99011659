/**
 * How long something may take, joined with a caller's wish to stop it: one signal for both. Timers are set so that none is
 * left behind, and none is longer than a runtime can count.
 */
import { GatewayError } from './gateway-error.ts'

/** Past 2^31 - 1 milliseconds timers fire at once. */
const LONGEST_MS = 2_147_483_647

/** Ends by itself, or because its caller wants it to. */
export class Patience {
  readonly #controller = new AbortController()
  readonly #theirs: AbortSignal | undefined
  readonly #stop: () => void
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(theirs: AbortSignal | undefined) {
    this.#theirs = theirs
    this.#stop = () => this.end(theirs?.reason)
    theirs?.addEventListener('abort', this.#stop, { once: true })
    if (theirs?.aborted) this.#stop()
  }

  /** Aborted with the caller's reason, or with a `timeout` that says what was waited for. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Waits this long from now on, and no longer for what it waited for before. */
  wait(ms: number, what: string): void {
    clearTimeout(this.#timer)
    if (this.signal.aborted) return
    const late = () => this.end(new GatewayError('timeout', `The gateway took longer than ${ms} ms ${what}`))
    this.#timer = setTimeout(late, Math.min(ms, LONGEST_MS))
  }

  /** Stops what goes by the signal. Without a reason it is only over. */
  end(reason?: unknown): void {
    clearTimeout(this.#timer)
    this.#theirs?.removeEventListener('abort', this.#stop)
    this.#controller.abort(reason)
  }
}

/** Resolves after a while; rejects with the signal's reason as soon as it is aborted. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, Math.min(ms, LONGEST_MS))
    signal?.addEventListener('abort', stop, { once: true })
    if (signal?.aborted) stop()
  })
}
