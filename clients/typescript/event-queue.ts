/**
 * Events of a run between the socket, which does not wait, and a reader who may. Where the reader falls behind, deltas in a row
 * become one, so that what waits is the answer's text and not its thousand frames.
 */
import type { GatewayEvent } from './gateway-event.ts'

/** Up to here every event waits as it came. */
const KEPT_APART = 256

export class EventQueue {
  #events: GatewayEvent[] = []
  #ending: { readonly error?: unknown } | undefined
  #wake: (() => void) | undefined

  /** Nothing is taken once it has ended. */
  push(event: GatewayEvent): void {
    if (this.#ending) return
    const last = this.#events.at(-1)
    const joined = last && this.#events.length > KEPT_APART ? join(last, event) : undefined
    if (joined) this.#events[this.#events.length - 1] = joined
    else this.#events.push(event)
    this.#wake?.()
  }

  /** What waits is still read; then it is over, or throws. */
  end(ending: { readonly error?: unknown } = {}): void {
    this.#ending ??= ending
    this.#wake?.()
  }

  /** Every event once, in order; for one reader. */
  async *read(): AsyncGenerator<GatewayEvent, void> {
    for (;;) {
      const events = this.#events
      this.#events = []
      yield* events
      if (this.#events.length > 0) continue
      if (this.#ending) {
        if ('error' in this.#ending) throw this.#ending.error
        return
      }
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}

function join(first: GatewayEvent, second: GatewayEvent): GatewayEvent | undefined {
  if (first.type !== 'chat.delta' || second.type !== 'chat.delta') return undefined
  return { ...second, data: { ...second.data, delta: first.data.delta + second.data.delta } }
}
