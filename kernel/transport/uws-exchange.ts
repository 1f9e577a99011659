/**
 * One HTTP request on uWebSockets. The native response dies with its reply or with its client, and touching it afterwards
 * throws; so everything here asks first whether it is still alive. What is written outside the native callback is corked,
 * which makes one packet of it.
 */
import { addressText } from './address.ts'
import { declaredLength } from './admission.ts'
import { Departure } from './departure.ts'
import type { BodyWriter, Exchange, RequestHead } from './exchange.ts'
import { isBodyless, sendableHeaders, statusLine, type SendableHeaders } from './reply-head.ts'
import { ReplyStream } from './reply-stream.ts'
import { DRAIN_BYTES, RequestBody } from './request-body.ts'
import { UwsBodySource } from './uws-body-source.ts'
import type { NativeResponse } from './uws-native.ts'

/** What is read of every request as it comes. */
export type UwsHead = Omit<RequestHead, 'remoteAddress'>

export class UwsExchange implements Exchange {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: ReadonlyMap<string, string>
  readonly #native: NativeResponse
  readonly #departure = new Departure()
  #body: RequestBody | undefined
  #source: UwsBodySource | undefined
  #stream: ReplyStream | undefined
  #remoteAddress: string | undefined
  #receiving = false
  #drained = 0
  #replied = false
  /** All of the reply is with the library but its end, which waits for the rest of the request. */
  #ending = false
  /** The native response is dead. */
  #finished = false
  #inCallback = true

  constructor(native: NativeResponse, head: UwsHead) {
    this.#native = native
    this.method = head.method
    this.path = head.path
    this.query = head.query
    this.headers = head.headers
  }

  /**
   * Asked of the library when somebody first wants it: that costs a tenth of a small request, and what is public never
   * does. Empty where nobody asked while the connection was there to be asked.
   */
  get remoteAddress(): string {
    this.#remoteAddress ??= this.#finished ? '' : addressText(this.#native.getRemoteAddress())
    return this.#remoteAddress
  }

  get signal(): AbortSignal {
    return this.#departure.signal
  }

  get replied(): boolean {
    return this.#replied
  }

  body(maxBytes: number): AsyncIterable<Uint8Array> {
    return this.#requestBody(declaredLength(this.headers)).read(maxBytes)
  }

  reply(status: number, headers: Readonly<Record<string, string>>, body: string | Uint8Array = ''): void {
    const sendable = sendableHeaders(headers)
    if (!this.#begin()) return
    this.#body?.discard()
    if (this.#receiving) return this.#replyEarly(status, sendable, body)
    this.#finished = true
    this.#corked(() => {
      this.#writeHead(status, sendable)
      if (isBodyless(status)) this.#native.endWithoutBody()
      else if (this.method === 'HEAD') this.#endHead(body)
      else this.#native.end(body)
    })
  }

  stream(status: number, headers: Readonly<Record<string, string>>): BodyWriter {
    const sendable = sendableHeaders(headers)
    const bare = this.#isBare(status)
    const stream = new ReplyStream({
      write: (chunk) => bare || this.#write(chunk),
      end: () => this.#endStream(bare),
    })
    if (this.#begin()) this.#openStream(stream, status, sendable)
    else stream.abandon()
    return stream
  }

  /** Called by the transport before its native callback returns: from here on every write needs a cork of its own. */
  settle(): void {
    this.#inCallback = false
    if (this.#finished) return
    this.#native.onAborted(() => this.#abandon())
    const declared = declaredLength(this.headers)
    if (declared !== 0) this.#receive(this.#requestBody(declared))
  }

  #requestBody(declared: number | undefined): RequestBody {
    if (this.#body !== undefined) return this.#body
    this.#source = new UwsBodySource(this.#native, () => !this.#finished && !this.#departure.gone)
    this.#body = new RequestBody(declared, this.#source)
    if (declared === 0) this.#body.complete()
    return this.#body
  }

  #receive(body: RequestBody): void {
    this.#receiving = true
    this.#native.onData((chunk, isLast) => {
      if (this.#ending) return this.#drain(chunk.byteLength, isLast)
      this.#receiving = !isLast
      // The library takes its buffer back when this returns.
      if (chunk.byteLength > 0) body.push(new Uint8Array(chunk.slice(0)))
      if (isLast) body.complete()
      else this.#source?.received()
    })
  }

  #begin(): boolean {
    if (this.#replied) return false
    this.#replied = true
    return !this.#departure.gone
  }

  #openStream(stream: ReplyStream, status: number, headers: SendableHeaders): void {
    this.#stream = stream
    this.#native.onWritable(() => {
      stream.drained()
      return true
    })
    this.#corked(() => this.#writeHead(status, headers))
  }

  /**
   * The reply to a request that is still coming. Ended at once, the library would forget its idle timer as soon as the
   * request is complete and keep the connection for ever; closed, the client could lose the reply while it still sends.
   */
  #replyEarly(status: number, headers: SendableHeaders, body: string | Uint8Array): void {
    const bare = this.#isBare(status)
    this.#corked(() => {
      this.#writeHead(status, headers)
      if (!bare && body.length > 0) this.#native.write(body)
    })
    this.#endWhenReceived(bare)
  }

  #endStream(bare: boolean): void {
    if (this.#finished || this.#departure.gone) return
    this.#body?.discard()
    this.#endWhenReceived(bare)
  }

  #endWhenReceived(bare: boolean): void {
    if (this.#receiving && !bare) {
      this.#ending = true
      return
    }
    this.#finished = true
    this.#corked(() => {
      if (!bare) this.#native.end()
      else if (this.#receiving) this.#native.end('', true)
      else this.#native.endWithoutBody()
    })
  }

  #drain(bytes: number, isLast: boolean): void {
    if (this.#finished) return
    this.#drained += bytes
    if (!isLast && this.#drained <= DRAIN_BYTES) return
    this.#finished = true
    if (isLast) this.#native.cork(() => this.#native.end())
    else this.#native.close()
  }

  #writeHead(status: number, headers: SendableHeaders): void {
    if (status !== 200) this.#native.writeStatus(statusLine(status))
    for (const [name, value] of headers) this.#native.writeHeader(name, value)
  }

  /** A length told to `endWithoutBody` counts as owed: the library would take no other request on this connection. */
  #endHead(body: string | Uint8Array): void {
    this.#native.writeHeader('Content-Length', String(Buffer.byteLength(body)))
    this.#native.endWithoutBody()
  }

  #write(chunk: string | Uint8Array): boolean {
    let room = true
    this.#corked(() => {
      room = this.#native.write(chunk)
    })
    return room
  }

  #corked(write: () => void): void {
    if (this.#inCallback) write()
    else this.#native.cork(write)
  }

  #isBare(status: number): boolean {
    return this.method === 'HEAD' || isBodyless(status)
  }

  #abandon(): void {
    this.#finished = true
    if (this.#ending) return
    this.#departure.happen()
    this.#body?.abandon()
    this.#stream?.abandon()
  }
}
