/**
 * The transport over `node:http` and `ws`: for a Node that uWebSockets has no build for, and the one the other is compared
 * with in tests. Both libraries are loaded when it listens.
 *
 * What differs from uWebSockets is written at the head of `uws.ts`; in short, this one answers more of what is malformed,
 * tells `malformed` about it, and sends a close frame (1007, 1009, 1002) before it drops a WebSocket for a protocol error.
 */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { Socket as NetSocket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { WebSocket, WebSocketServer } from 'ws'
import { systemClock } from '../clock.ts'
import { shortAddress } from './address.ts'
import {
  confirmedSubprotocol,
  HEAD_TIMEOUT_SECONDS,
  MAX_HEAD_BYTES,
  refusalBody,
  refuseHandshake,
  UNKNOWN_METHOD,
  wantsSocket,
  type Malformed,
} from './admission.ts'
import { bindAll, type Binding, type Listening } from './binding.ts'
import type { RequestHead } from './exchange.ts'
import { replyRaw } from './raw-reply.ts'
import { loadTls } from './tls.ts'
import type { Transport, TransportFactory, TransportHandlers, TransportOptions } from './transport.ts'
import { WsExchange } from './ws-exchange.ts'
import { parserFault, readHead } from './ws-head.ts'
import { WsSocket } from './ws-socket.ts'

export const wsTransport: TransportFactory = (options, handlers) => new WsTransport(options, handlers)

const JSON_TYPE = { 'content-type': 'application/json' }

class WsTransport implements Transport {
  readonly name = 'ws'
  readonly #options: TransportOptions
  readonly #handlers: TransportHandlers
  readonly #connections = new Set<NetSocket>()
  readonly #exchanges = new WeakMap<NetSocket, WsExchange>()
  readonly #refused = new WeakSet<NetSocket>()
  readonly #sockets = new Set<WsSocket>()
  readonly #subprotocols = new WeakMap<IncomingMessage, string>()
  readonly #servers: Server[] = []
  #library: WebSocketServer | undefined
  #binding: Binding | undefined
  #stopBeating: (() => void) | undefined
  #lastSocket = 0

  constructor(options: TransportOptions, handlers: TransportHandlers) {
    this.#options = options
    this.#handlers = handlers
  }

  async listen(): Promise<{ readonly port: number; readonly hosts: readonly string[] }> {
    const { WebSocketServer } = await import('ws')
    this.#library = new WebSocketServer({
      noServer: true,
      maxPayload: this.#options.maxFrameBytes,
      perMessageDeflate: false,
      clientTracking: false,
      handleProtocols: (_offered, request) => this.#subprotocols.get(request) || false,
    })
    const create = await this.#serverFactory()
    const { hosts, port, idleTimeoutSeconds } = this.#options
    this.#binding = await bindAll({ hosts, port, bind: (host, wanted) => this.#listenOn(create(), host, wanted) })
    this.#stopBeating = systemClock.every(idleTimeoutSeconds * 500, () => this.#sockets.forEach((socket) => socket.beat()))
    return { port: this.#binding.port, hosts: this.#binding.hosts }
  }

  stopListening(): void {
    this.#binding?.release()
    this.#binding = undefined
  }

  async close(): Promise<void> {
    this.#stopBeating?.()
    this.stopListening()
    const closed = this.#servers.splice(0).map((server) => closing(server))
    this.#connections.forEach((connection) => connection.destroy())
    await Promise.all(closed)
  }

  async #serverFactory(): Promise<() => Server> {
    const { tls, idleTimeoutSeconds } = this.#options
    // Before the connection counts as silent, so that a late head is still answered with 408.
    const headTimeout = Math.round(Math.min(HEAD_TIMEOUT_SECONDS, idleTimeoutSeconds * 0.75) * 1000)
    const settings = {
      maxHeaderSize: MAX_HEAD_BYTES,
      headersTimeout: headTimeout,
      keepAliveTimeout: headTimeout,
      connectionsCheckingInterval: Math.ceil(headTimeout / 4),
      requireHostHeader: false, // the admission says it in the gateway's words
      shouldUpgradeCallback: asksForSocket,
    }
    if (tls === undefined) {
      const { createServer } = await import('node:http')
      return () => this.#prepare(createServer(settings))
    }
    const [{ createServer }, pair] = await Promise.all([import('node:https'), loadTls(tls)])
    return () => this.#prepare(createServer({ ...settings, ...pair }))
  }

  #prepare(server: Server): Server {
    server.maxHeadersCount = 0 // Node drops what is beyond; the admission counts and refuses
    server.timeout = this.#options.idleTimeoutSeconds * 1000
    const serve: RequestListener = (request, response) => this.#request(request, response)
    server.on('request', serve)
    server.on('checkExpectation', serve) // ignored, as the other library does
    server.on('upgrade', (request, connection, head) => void this.#upgrade(request, connection, head))
    server.on('connect', (request, connection) => this.#refuseRaw(connection, UNKNOWN_METHOD, request.socket.remoteAddress))
    server.on('clientError', (error, connection) => this.#parserRefused(error, connection))
    server.on('timeout', (connection) => this.#silent(connection))
    server.on('connection', (connection: NetSocket) => {
      this.#connections.add(connection)
      connection.once('close', () => this.#connections.delete(connection))
    })
    return server
  }

  #listenOn(server: Server, host: string, port: number): Promise<Listening> {
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port, exclusive: true }, () => {
        this.#servers.push(server)
        const address = server.address()
        resolve({ port: typeof address === 'object' && address !== null ? address.port : port, release: () => server.close() })
      })
    })
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    const read = readHead(request)
    if ('malformed' in read) return this.#refuse(response, read.malformed, request.socket.remoteAddress)
    if (wantsSocket(read.head.method, read.head.headers)) {
      return this.#refuse(response, { status: 400, reason: 'The WebSocket handshake is malformed.' }, request.socket.remoteAddress)
    }
    const exchange = new WsExchange(request, response, read.head)
    this.#exchanges.set(request.socket, exchange)
    this.#handlers.request(exchange)
  }

  #refuse(response: ServerResponse, { status, reason }: Malformed, address: string | undefined): void {
    const body = refusalBody(reason)
    if (response.socket !== null) this.#refused.add(response.socket)
    response.on('error', () => {})
    response.writeHead(status, { ...JSON_TYPE, connection: 'close', 'content-length': Buffer.byteLength(body) }).end(body)
    this.#handlers.malformed?.(reason, shortAddress(address))
  }

  #refuseRaw(connection: Duplex, { status, reason }: Malformed, address: string | undefined): void {
    replyRaw(connection, { status, headers: JSON_TYPE, body: refusalBody(reason) })
    this.#handlers.malformed?.(reason, shortAddress(address))
  }

  #parserRefused(error: NodeJS.ErrnoException, connection: Duplex): void {
    if (error.code === 'ECONNRESET' || !connection.writable) return void connection.destroy()
    // A server's connections are sockets; the type allows for other streams.
    const socket = connection as NetSocket
    const address = socket.remoteAddress
    if (this.#refused.has(socket)) return // one refusal is enough, and closes
    // A reply that has begun cannot be followed by another one.
    if (this.#exchanges.get(socket)?.replied === true) connection.destroy()
    else this.#refuseRaw(connection, parserFault(error), address)
  }

  /** Nothing came or went for the idle time. Whoever waits for the gateway's own answer may go on waiting. */
  #silent(connection: NetSocket): void {
    const exchange = this.#exchanges.get(connection)
    if (exchange?.waitsForGateway() === true) connection.setTimeout(this.#options.idleTimeoutSeconds * 1000)
    else connection.destroy()
  }

  async #upgrade(request: IncomingMessage, connection: Duplex, first: Buffer): Promise<void> {
    connection.on('error', () => connection.destroy())
    const read = readHead(request)
    if ('malformed' in read) return this.#refuseRaw(connection, read.malformed, request.socket.remoteAddress)
    const { head } = read
    const decision = refuseHandshake(head) ?? (await this.#handlers.upgrade(head))
    if (!decision.accept) return replyRaw(connection, decision)
    this.#subprotocols.set(request, confirmedSubprotocol(head.headers, decision.subprotocol))
    if (connection.destroyed) return
    this.#library?.handleUpgrade(request, connection, first, (library) => {
      this.#open(library, { head, connection, data: decision.data })
    })
  }

  #open(library: WebSocket, { head, connection, data }: { head: RequestHead; connection: Duplex; data: unknown }): void {
    const facts = { id: ++this.#lastSocket, remoteAddress: head.remoteAddress, data }
    const socket = new WsSocket(facts, library, this.#options.maxBackpressureBytes)
    this.#sockets.add(socket)
    library.on('error', () => {}) // `close` follows and says it
    library.on('ping', () => socket.heard())
    library.on('pong', () => socket.heard())
    library.on('message', (message, isBinary) => {
      socket.heard()
      // The library hands out one Buffer unless its `binaryType` is changed.
      this.#handlers.message(socket, isBinary ? '' : (message as Buffer).toString(), isBinary)
    })
    library.on('close', (code, reason) => {
      this.#sockets.delete(socket)
      this.#handlers.close(socket, code, reason.toString())
    })
    connection.on('drain', () => {
      if (library.readyState === library.OPEN && library.bufferedAmount === 0) this.#handlers.drain(socket)
    })
    this.#handlers.open(socket)
  }
}

/** Asked before the head is read as a whole: any other upgrade is served as the request it also is. */
function asksForSocket({ method, headers }: IncomingMessage): boolean {
  return wantsSocket(method ?? '', new Map(Object.entries(headers).map(([name, value]) => [name, String(value)])))
}

function closing(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve()) // also where it was closed before
  })
}
