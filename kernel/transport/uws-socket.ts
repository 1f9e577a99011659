/**
 * One WebSocket on uWebSockets. The native socket dies when its close handler has run, and touching it afterwards throws;
 * so this holds it only while it lives. The library's own bound on backpressure would drop the close frame too, so the
 * bound is kept here: the reader that is too far behind still gets everything before its 1013.
 */
import { fittingReason, sendableCode, TRY_AGAIN_LATER } from './close-frame.ts'
import type { Socket } from './socket.ts'
import type { NativeSocket } from './uws-native.ts'

/** What the native socket carries. */
export interface Carried {
  readonly socket: UwsSocket
}

export class UwsSocket implements Socket {
  readonly id: number
  readonly remoteAddress: string
  readonly data: unknown
  readonly #maxBackpressureBytes: number
  #native: NativeSocket<Carried> | undefined
  /** Something was kept back, and may be still. While all goes out at once the library need not be asked how much waits. */
  #behind = false

  constructor(facts: Pick<Socket, 'id' | 'remoteAddress' | 'data'>, maxBackpressureBytes: number) {
    this.id = facts.id
    this.remoteAddress = facts.remoteAddress
    this.data = facts.data
    this.#maxBackpressureBytes = maxBackpressureBytes
  }

  get buffered(): number {
    const waiting = this.#behind ? (this.#native?.getBufferedAmount() ?? 0) : 0
    this.#behind = waiting > 0
    return waiting
  }

  send(text: string): boolean {
    const native = this.#native
    if (native === undefined) return false
    if (native.send(text, false) === 1) return true
    this.#behind = true
    if (native.getBufferedAmount() <= this.#maxBackpressureBytes) return true
    this.close(TRY_AGAIN_LATER, 'Too far behind in reading')
    return false
  }

  close(code: number, reason: string): void {
    this.#native?.end(sendableCode(code), fittingReason(reason))
  }

  terminate(): void {
    this.#native?.close()
  }

  /** Called by the transport when the native socket is open. */
  attach(native: NativeSocket<Carried>): void {
    this.#native = native
  }

  /** Called by the transport when the native socket is dead. */
  detach(): void {
    this.#native = undefined
  }
}
