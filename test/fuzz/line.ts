/**
 * A TCP connection as bytes, for what no client library would send. Whoever waits on it waits for what came, for its end, or
 * for as long as an answer may take; silence past that is what is called a hang.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as pass } from 'node:timers/promises'

/** Nothing that is fuzzed takes a second; a machine that is busy with other tests may take some. */
export const HANG_MS = 10_000

export class Line {
  readonly #socket: Socket
  #received: Buffer = Buffer.alloc(0)
  #over = false
  #ended = false
  #changed = Promise.withResolvers<void>()

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#wake()
    })
    socket.on('close', () => {
      this.#over = true
      this.#wake()
    })
    // A connection that is cut while it is written to is an answer here.
    socket.on('error', () => {})
  }

  static async dial(port: number): Promise<Line> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const line = new Line(socket)
    if (await Promise.race([once(socket, 'connect').then(() => true, () => false), pass(HANG_MS, false, { ref: false })])) return line
    socket.destroy()
    throw new Error('no connection is taken any more')
  }

  /** All that came so far. */
  get received(): Buffer {
    return this.#received
  }

  get over(): boolean {
    return this.#over
  }

  /** Sends in pieces, each a packet of its own as far as that can be had. */
  async send(bytes: Uint8Array, pieces: readonly number[] = []): Promise<void> {
    let start = 0
    for (const length of pieces) {
      if (this.#over || start + length >= bytes.length) break
      this.#socket.write(bytes.subarray(start, start + length))
      start += length
      await new Promise((resolve) => setImmediate(resolve))
    }
    if (!this.#over && start < bytes.length) this.#socket.write(bytes.subarray(start))
  }

  /** Says that nothing more will come. */
  end(): void {
    this.#ended = true
    if (!this.#over) this.#socket.end()
  }

  /** Asks again whenever something came; undefined once the other side has closed without it. Rejects on a hang. */
  async until<Found>(find: (received: Buffer) => Found | undefined, what: string): Promise<Found | undefined> {
    const stop = new AbortController()
    const hang = pass(HANG_MS, 'hang' as const, { signal: stop.signal, ref: false }).catch(() => 'stopped' as const)
    try {
      for (;;) {
        const found = find(this.#received)
        if (found !== undefined || this.#over) return found
        this.#changed = Promise.withResolvers()
        if ((await Promise.race([this.#changed.promise, hang])) === 'hang') throw new Error(`${what}: neither an answer nor an end within ${HANG_MS / 1000} s`)
      }
    } finally {
      stop.abort()
    }
  }

  /**
   * Gone at once. A reset leaves the operating system nothing to remember, or its ports would run out; of a socket that is being
   * shut down Node cannot do that, and would turn in circles when the process is to end.
   */
  drop(): void {
    if (this.#ended || this.#over) this.#socket.destroy()
    else this.#socket.resetAndDestroy()
  }

  #wake(): void {
    this.#changed.resolve()
  }
}
