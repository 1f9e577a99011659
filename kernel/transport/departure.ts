/**
 * That the client has gone before its reply was complete, told to whoever asked. Most requests never ask, so the
 * `AbortController` is made at the first look at `signal`.
 */
import { RpcError } from '@isopod/plugin-api'

export class Departure {
  #gone = false
  #controller: AbortController | undefined

  get gone(): boolean {
    return this.#gone
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#gone) this.#controller.abort(clientGone())
    return this.#controller.signal
  }

  /** Idempotent. */
  happen(): void {
    if (this.#gone) return
    this.#gone = true
    this.#controller?.abort(clientGone())
  }
}

/** What reading from or writing to a client that has gone rejects with. */
export function clientGone(): RpcError {
  return new RpcError('cancelled', 'The client went away before the reply was complete')
}
