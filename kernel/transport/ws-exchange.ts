/** One HTTP request on `node:http`. The library's request and response are streams; what they add to that is hidden here. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { declaredLength } from './admission.ts'
import { Departure } from './departure.ts'
import type { BodyWriter, Exchange, RequestHead } from './exchange.ts'
import { isBodyless, sendableHeaders } from './reply-head.ts'
import { ReplyStream } from './reply-stream.ts'
import { DRAIN_BYTES, RequestBody } from './request-body.ts'

export class WsExchange implements Exchange {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: ReadonlyMap<string, string>
  readonly remoteAddress: string
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #departure = new Departure()
  #body: RequestBody | undefined
  #stream: ReplyStream | undefined
  #replied = false

  constructor(request: IncomingMessage, response: ServerResponse, head: RequestHead) {
    this.#request = request
    this.#response = response
    this.method = head.method
    this.path = head.path
    this.query = head.query
    this.headers = head.headers
    this.remoteAddress = head.remoteAddress
    response.on('close', () => this.#closed())
    response.on('drain', () => this.#stream?.drained())
    response.on('error', () => {}) // `close` follows and says it
    request.on('error', () => {})
  }

  get signal(): AbortSignal {
    return this.#departure.signal
  }

  get replied(): boolean {
    return this.#replied
  }

  body(maxBytes: number): AsyncIterable<Uint8Array> {
    return this.#requestBody().read(maxBytes)
  }

  reply(status: number, headers: Readonly<Record<string, string>>, body: string | Uint8Array = ''): void {
    const sendable = sendableHeaders(headers)
    if (!this.#begin()) return
    this.#discardBody()
    const length: readonly string[] = isBodyless(status) ? [] : ['Content-Length', String(Buffer.byteLength(body))]
    this.#response.writeHead(status, [...sendable.flat(), ...length])
    // Node leaves the body out where the method or the status forbids one.
    this.#response.end(body)
  }

  stream(status: number, headers: Readonly<Record<string, string>>): BodyWriter {
    const sendable = sendableHeaders(headers)
    const bare = this.method === 'HEAD' || isBodyless(status)
    const stream = new ReplyStream({
      write: (chunk) => bare || this.#response.write(chunk),
      end: () => this.#endStream(),
    })
    if (!this.#begin()) {
      stream.abandon()
      return stream
    }
    this.#stream = stream
    this.#response.writeHead(status, sendable.flat())
    this.#response.flushHeaders()
    return stream
  }

  /** Called when the connection was silent for long. Whether it is not the client who keeps the other waiting. */
  waitsForGateway(): boolean {
    const bodyAwaited = !this.#request.complete && this.#request.readableFlowing === true
    return !this.#response.writableFinished && this.#response.writableLength === 0 && !bodyAwaited
  }

  #requestBody(): RequestBody {
    if (this.#body !== undefined) return this.#body
    const request = this.#request
    const body = new RequestBody(declaredLength(this.headers), request)
    this.#body = body
    request.on('data', (chunk: Buffer) => body.push(chunk))
    request.on('end', () => body.complete())
    if (this.#departure.gone) body.abandon()
    return body
  }

  #begin(): boolean {
    if (this.#replied) return false
    this.#replied = true
    return !this.#departure.gone
  }

  #endStream(): void {
    this.#discardBody()
    this.#response.end()
  }

  #discardBody(): void {
    const request = this.#request
    this.#body?.discard()
    if (request.complete || declaredLength(this.headers) === 0) return
    let drained = 0
    request.on('data', (chunk: Buffer) => {
      drained += chunk.byteLength
      if (drained > DRAIN_BYTES) request.socket.destroy()
    })
  }

  #closed(): void {
    if (this.#response.writableFinished) return
    this.#departure.happen()
    this.#body?.abandon()
    this.#stream?.abandon()
  }
}
