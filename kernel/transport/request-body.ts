/**
 * The body of one request, between a connection that pushes and a handler that takes. It holds little: past `HIGH_WATER`
 * the connection is paused until the handler has caught up. It counts against the handler's cap and knows no encoding.
 */
import { RpcError } from '@isopod/plugin-api'
import { clientGone } from './departure.ts'

/** Where the connection is paused: a few packets, so that a small body never pays for a pause. */
const HIGH_WATER = 65_536

/** What an answered client may still send of its body before it is cut off: enough for one that reads only when done. */
export const DRAIN_BYTES = 64 * 1024 * 1024

/** The connection that the body comes from. */
export interface BodySource {
  pause(): void
  resume(): void
}

export class RequestBody {
  readonly #declared: number | undefined
  readonly #source: BodySource
  #chunks: Uint8Array[] = []
  #waiting = 0
  #state: 'open' | 'complete' | 'gone' | 'discarded' = 'open'
  #paused = false
  #taken = false
  #wake: (() => void) | undefined

  /** `declared` is what Content-Length said, in bytes; nothing for a chunked body. */
  constructor(declared: number | undefined, source: BodySource) {
    this.#declared = declared
    this.#source = source
  }

  /** The bytes must be the body's to keep. */
  push(chunk: Uint8Array): void {
    if (this.#state !== 'open') return
    this.#chunks.push(chunk)
    this.#waiting += chunk.byteLength
    if (this.#waiting > HIGH_WATER && !this.#paused) {
      this.#paused = true
      this.#source.pause()
    }
    this.#wake?.()
  }

  /** All of it has come. */
  complete(): void {
    if (this.#state === 'open') this.#state = 'complete'
    this.#wake?.()
  }

  /** The client went away. */
  abandon(): void {
    if (this.#state === 'open') this.#state = 'gone'
    this.#wake?.()
  }

  /** Nobody will read on: what waits is dropped, and what still comes flows past, so that the connection can be used again. */
  discard(): void {
    if (this.#state === 'open') this.#state = 'discarded'
    this.#chunks = []
    this.#waiting = 0
    this.#flow()
    this.#wake?.()
  }

  /** See `Exchange.body`. */
  async *read(maxBytes: number): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#taken) throw new Error('A request body may be read once')
    this.#taken = true
    if ((this.#declared ?? 0) > maxBytes) throw tooLarge(maxBytes)
    let total = 0
    for (;;) {
      const chunk = this.#chunks.shift() ?? (await this.#next())
      if (chunk === undefined) return
      total += chunk.byteLength
      if (total > maxBytes) throw tooLarge(maxBytes)
      this.#waiting -= chunk.byteLength
      if (this.#waiting <= 0) this.#flow()
      yield chunk
    }
  }

  async #next(): Promise<Uint8Array | undefined> {
    while (this.#chunks.length === 0 && this.#state === 'open') {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    this.#wake = undefined
    const chunk = this.#chunks.shift()
    if (chunk === undefined && this.#state === 'gone') throw clientGone()
    return chunk
  }

  #flow(): void {
    if (!this.#paused || this.#state === 'gone') return
    this.#paused = false
    this.#source.resume()
  }
}

function tooLarge(maxBytes: number): RpcError {
  return new RpcError('payload_too_large', `The request body is larger than ${maxBytes} bytes`, { details: { maxBytes } })
}
