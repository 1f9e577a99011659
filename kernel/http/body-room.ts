/**
 * How much of bodies this process holds at once. Each body is bounded, and a hundred of them would still be more than the heap,
 * which ends the process and everybody's calls with it: so whoever comes when the room is taken is told to come again. The heap
 * belongs to the process, and so does this.
 */
import { getHeapStatistics } from 'node:v8'
import { RpcError } from '@isopod/plugin-api'

/** What a body may grow to while it is worked on: `{},` is three bytes and some sixty as an object, and params are copied. */
const GROWS_TO = 32

export class BodyRoom {
  readonly #bytes: number
  readonly #held = new WeakMap<object, number>()
  #taken = 0

  constructor(bytes: number) {
    this.#bytes = bytes
  }

  /**
   * Makes room for more of what a request brings. One request alone always has room: its own bound is another's business.
   * @throws RpcError `unavailable`
   */
  take(request: object, bytes: number): void {
    const held = this.#held.get(request) ?? 0
    if (this.#taken > held && this.#taken + bytes > this.#bytes) throw full()
    this.#held.set(request, held + bytes)
    this.#taken += bytes
  }

  /** The request has been answered. */
  leave(request: object): void {
    const held = this.#held.get(request)
    if (held === undefined) return
    this.#taken -= held
    this.#held.delete(request)
  }
}

function full(): RpcError {
  const message = 'The gateway holds as many large bodies as its memory has room for: try again in a moment'
  return new RpcError('unavailable', message, { retryable: true, retryAfterSeconds: 1 })
}

/** The room of this process. */
export const bodyRoom = new BodyRoom(getHeapStatistics().heap_size_limit / GROWS_TO)
