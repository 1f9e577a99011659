/**
 * A transport without a network: requests are web `Request`s, replies web `Response`s, and a socket is a pair of ends in
 * this process. Everything above the transport's port is the real thing, authentication included.
 */
import { RpcError, type Json, type JsonObject } from '@isopod/plugin-api'
import type { BodyWriter, Exchange } from '@isopod/kernel/transport/exchange.ts'
import type { Socket } from '@isopod/kernel/transport/socket.ts'
import type { Transport, TransportFactory, TransportHandlers } from '@isopod/kernel/transport/transport.ts'

const ADDRESS = '127.0.0.1'

export class MemoryTransport {
  #handlers: TransportHandlers | undefined
  #sockets = 0

  /** The factory a gateway is given. */
  readonly factory: TransportFactory = (options, handlers): Transport => ({
    name: 'ws',
    listen: async () => {
      this.#handlers = handlers
      return { port: options.port === 0 ? 1 : options.port, hosts: options.hosts }
    },
    stopListening: () => {},
    close: async () => {
      this.#handlers = undefined
    },
  })

  /** Sends a request and answers the reply, whose body streams as it is written. */
  async fetch(request: Request): Promise<Response> {
    const bytes = new Uint8Array(await request.arrayBuffer())
    const { signal } = request
    signal.throwIfAborted()
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      this.#serving.request(new MemoryExchange(request, bytes, resolve))
    })
  }

  /** Opens a socket. Rejects with the status and body of the refusal. */
  async connect(path: string, headers: Readonly<Record<string, string>>): Promise<TestSocket> {
    const url = new URL(path, 'http://localhost')
    const all = new Map(Object.entries({ host: 'localhost', ...headers }).map(([name, value]) => [name.toLowerCase(), value]))
    const head = { method: 'GET', path: url.pathname, query: url.search.slice(1), headers: all, remoteAddress: ADDRESS }
    const handlers = this.#serving
    const decision = await handlers.upgrade(head)
    if (!decision.accept) throw new Error(`the upgrade was refused with ${decision.status}: ${decision.body}`)
    this.#sockets += 1
    return new TestSocket(this.#sockets, decision.data, handlers)
  }

  get #serving(): TransportHandlers {
    if (!this.#handlers) throw new Error('the gateway does not listen')
    return this.#handlers
  }
}

class MemoryExchange implements Exchange {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: ReadonlyMap<string, string>
  readonly remoteAddress = ADDRESS
  readonly signal: AbortSignal
  replied = false
  /** Aborted when the client goes: it aborts its request, or reads the reply no further. */
  readonly #gone = new AbortController()
  readonly #bytes: Uint8Array
  readonly #resolve: (response: Response) => void

  constructor(request: Request, bytes: Uint8Array, resolve: (response: Response) => void) {
    const url = new URL(request.url)
    const length: [string, string][] = bytes.length > 0 ? [['content-length', String(bytes.length)]] : []
    this.method = request.method
    this.path = url.pathname
    this.query = url.search.slice(1)
    this.headers = new Map([['host', 'localhost'], ...length, ...request.headers])
    this.signal = AbortSignal.any([request.signal, this.#gone.signal])
    this.#bytes = bytes
    this.#resolve = resolve
  }

  async *body(maxBytes: number): AsyncIterable<Uint8Array> {
    if (this.#bytes.length > maxBytes) throw new RpcError('payload_too_large', `The body has more than ${maxBytes} bytes`)
    if (this.#bytes.length > 0) yield this.#bytes
  }

  reply(status: number, headers: Readonly<Record<string, string>>, body: string | Uint8Array = ''): void {
    this.replied = true
    const empty = status === 204 || status === 304 || this.method === 'HEAD'
    this.#resolve(new Response(empty ? null : body, { status, headers: { ...headers } }))
  }

  stream(status: number, headers: Readonly<Record<string, string>>): BodyWriter {
    this.replied = true
    const pipe = new TransformStream<Uint8Array, Uint8Array>({ cancel: () => this.#gone.abort() })
    const writer = pipe.writable.getWriter()
    const encoder = new TextEncoder()
    this.signal.addEventListener('abort', () => void writer.abort().catch(() => {}), { once: true })
    this.#resolve(new Response(pipe.readable, { status, headers: { ...headers } }))
    return {
      write: async (chunk) => {
        await writer.write(typeof chunk === 'string' ? encoder.encode(chunk) : chunk).catch((cause: unknown) => {
          throw new RpcError('cancelled', 'The reader has gone', { cause })
        })
      },
      end: () => void writer.close().catch(() => {}),
    }
  }
}

/** The client's end of a socket. Frames are parsed JSON, in the order they came. */
export class TestSocket implements AsyncDisposable {
  /** Every frame so far. */
  readonly frames: JsonObject[] = []
  /** How the gateway closed it. */
  closed: { readonly code: number; readonly reason: string } | undefined
  readonly #handlers: TransportHandlers
  readonly #socket: Socket
  #waiting: (() => void)[] = []

  constructor(id: number, data: unknown, handlers: TransportHandlers) {
    this.#handlers = handlers
    this.#socket = {
      id,
      data,
      remoteAddress: ADDRESS,
      buffered: 0,
      send: (text) => this.#receive(JSON.parse(text) as JsonObject),
      close: (code, reason) => this.#end(code, reason),
      terminate: () => this.#end(1006, ''),
    }
    handlers.open(this.#socket)
  }

  send(frame: Json): void {
    this.sendText(JSON.stringify(frame))
  }

  sendText(text: string): void {
    this.#handlers.message(this.#socket, text, false)
  }

  /** The first frame, past or to come, that fits; undefined once the socket is closed without one. */
  async first(fits: (frame: JsonObject) => boolean): Promise<JsonObject | undefined> {
    for (;;) {
      const found = this.frames.find(fits)
      if (found || this.closed) return found
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  /** The client goes away. */
  close(): void {
    this.#end(1000, '')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  #receive(frame: JsonObject): boolean {
    if (this.closed) return false
    this.frames.push(frame)
    this.#wake()
    return true
  }

  #end(code: number, reason: string): void {
    if (this.closed) return
    this.closed = { code, reason }
    this.#handlers.close(this.#socket, code, reason)
    this.#wake()
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}
