/** One WebSocket of `ws`. It has no bound on what waits for a slow reader and no word when it has caught up; both are added here. */
import { fittingReason, sendableCode, TRY_AGAIN_LATER } from './close-frame.ts'
import type { Socket } from './socket.ts'

/** The part of the library's WebSocket that is used; only the transport imports the library. */
interface LibrarySocket {
  readonly readyState: number
  readonly bufferedAmount: number
  send(text: string): void
  ping(): void
  close(code: number, reason: string): void
  terminate(): void
}

const OPEN = 1 // WebSocket.OPEN, in every implementation of the web's interface

export class WsSocket implements Socket {
  readonly id: number
  readonly remoteAddress: string
  readonly data: unknown
  readonly #maxBackpressureBytes: number
  readonly #library: LibrarySocket
  /** Whether the last ping was answered, by its pong or by anything else. */
  #alive = true

  constructor(facts: Pick<Socket, 'id' | 'remoteAddress' | 'data'>, library: LibrarySocket, maxBackpressureBytes: number) {
    this.id = facts.id
    this.remoteAddress = facts.remoteAddress
    this.data = facts.data
    this.#library = library
    this.#maxBackpressureBytes = maxBackpressureBytes
  }

  get buffered(): number {
    return this.#library.readyState === OPEN ? this.#library.bufferedAmount : 0
  }

  send(text: string): boolean {
    if (this.#library.readyState !== OPEN) return false
    this.#library.send(text)
    if (this.#library.bufferedAmount <= this.#maxBackpressureBytes) return true
    this.close(TRY_AGAIN_LATER, 'Too far behind in reading')
    return false
  }

  close(code: number, reason: string): void {
    if (this.#library.readyState === OPEN) this.#library.close(sendableCode(code), fittingReason(reason))
  }

  terminate(): void {
    this.#library.terminate()
  }

  /** Called by the transport when anything came. */
  heard(): void {
    this.#alive = true
  }

  /** Called by the transport in each half of the idle time: drops a socket that left the last ping unanswered. */
  beat(): void {
    if (this.#library.readyState !== OPEN) return
    if (!this.#alive) return this.#library.terminate()
    this.#alive = false
    this.#library.ping()
  }
}
