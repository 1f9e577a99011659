/** Sockets without a network whose reader a test controls: how far behind it is, when it catches up, and in what it sends. */
import type { JsonObject } from '@isopod/plugin-api'
import type { Socket } from '../../kernel/transport/socket.ts'
import type { TransportFactory, TransportHandlers } from '../../kernel/transport/transport.ts'
import { TOKEN } from '../http/listening.ts'

export class HeldTransport {
  #handlers: TransportHandlers | undefined
  #last = 0

  readonly factory: TransportFactory = (_options, handlers) => {
    this.#handlers = handlers
    return { name: 'ws', listen: async () => ({ port: 1, hosts: ['127.0.0.1'] }), stopListening: () => {}, close: async () => {} }
  }

  async connect(headers: Readonly<Record<string, string>> = { authorization: `Bearer ${TOKEN}` }): Promise<HeldSocket> {
    const handlers = this.#handlers
    if (!handlers) throw new Error('nobody listens')
    const decision = await handlers.upgrade({ method: 'GET', path: '/', query: '', headers: new Map(Object.entries({ host: 'localhost', ...headers })), remoteAddress: '127.0.0.1' })
    if (!decision.accept) throw new Error(`refused with ${decision.status}`)
    this.#last += 1
    const socket = new HeldSocket(this.#last, decision.data, handlers)
    handlers.open(socket)
    return socket
  }
}

/** Like a socket of `ws`: what the gateway closed stays open for the client until it agrees. */
export class HeldSocket implements Socket {
  readonly id: number
  readonly remoteAddress = '127.0.0.1'
  readonly data: unknown
  /** A reader that has stopped. */
  buffered = 0
  readonly frames: JsonObject[] = []
  closing: { readonly code: number; readonly reason: string } | undefined
  readonly #handlers: TransportHandlers
  #waiting: (() => void)[] = []

  constructor(id: number, data: unknown, handlers: TransportHandlers) {
    this.id = id
    this.data = data
    this.#handlers = handlers
  }

  send(text: string): boolean {
    if (this.closing) return false
    // What is sent here is what dialects of these tests spell: objects.
    this.frames.push(JSON.parse(text) as JsonObject)
    this.#wake()
    return true
  }

  close(code: number, reason: string): void {
    this.closing ??= { code, reason }
    this.#wake()
  }

  terminate(): void {
    this.close(1006, '')
  }

  // The client's side

  comes(frame: JsonObject): void {
    this.comesText(JSON.stringify(frame))
  }

  comesText(text: string, binary = false): void {
    this.#handlers.message(this, text, binary)
  }

  /** The reader takes all there is. */
  reads(): void {
    this.buffered = 0
    this.#handlers.drain(this)
  }

  /** The client has gone. */
  leaves(): void {
    this.closing ??= { code: 1006, reason: '' }
    this.#handlers.close(this, 1006, '')
  }

  /** Resolves once what is asked holds. */
  async until(holds: (socket: this) => boolean): Promise<void> {
    while (!holds(this)) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}
