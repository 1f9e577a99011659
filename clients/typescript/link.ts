/**
 * One WebSocket from its opening to its end: opened, authenticated by its first frame, and known to be alive. It carries
 * frames and knows nothing of calls or runs; when it is lost, it is lost, and whoever holds it opens another.
 */
import { GatewayError } from './gateway-error.ts'
import { field, isRecord, parsed, type JsonObject } from './json.ts'
import { refusalIn } from './refusal.ts'

/** What is needed of a `WebSocket`: the browsers', Node's own, or that of the package `ws`. */
export interface WebSocketLike {
  send(text: string): void
  close(code?: number, reason?: string): void
  /** Drops the connection at once; the package `ws` can, the web's own waits for the other side. */
  terminate?(): void
  addEventListener(type: 'open' | 'message' | 'close' | 'error', listener: (event: SocketEvent) => void): void
}

/** What those tell; each has some of it. */
export interface SocketEvent {
  readonly type?: string
  readonly data?: unknown
  readonly code?: number
  readonly reason?: string
}

/** Makes one. */
export type WebSocketConstructor = new (url: string, protocols: string) => WebSocketLike

/** What a link is made of, and whom it tells. */
export interface LinkParts {
  readonly url: string
  readonly token: string | undefined
  readonly WebSocket: WebSocketConstructor
  /** How long the opening may take, and the answer to a sign of life. */
  readonly timeoutMs: number
  /** After so long a silence the gateway is asked for a sign of life. */
  readonly silenceMs: number
  readonly heard: (frame: JsonObject) => void
  /** Told once, and only of a link that was open. */
  readonly lost: (error: GatewayError) => void
}

/** The rpc dialect's name among subprotocols. */
const SUBPROTOCOL = 'isopod.v1'
/** Requests of the link itself; those of its holder are numbers. */
const [OPENING, SIGN_OF_LIFE] = ['opening', 'alive']

export class Link {
  readonly #parts: LinkParts
  readonly #socket: WebSocketLike
  #state: 'opening' | 'open' | 'over' = 'opening'
  #opened: { readonly resolve: (link: Link) => void; readonly reject: (error: GatewayError) => void } | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #heardAt = 0

  /**
   * Resolves once the gateway has let it in.
   * @throws GatewayError the gateway's refusal, `unreachable` or `timeout`
   */
  static open(parts: LinkParts): Promise<Link> {
    return new Promise((resolve, reject) => {
      const link = new Link(parts)
      link.#opened = { resolve, reject }
    })
  }

  private constructor(parts: LinkParts) {
    this.#parts = parts
    this.#timer = setTimeout(() => this.#end(new GatewayError('timeout', `The WebSocket was not open after ${parts.timeoutMs} ms`)), parts.timeoutMs)
    this.#socket = new parts.WebSocket(parts.url, SUBPROTOCOL)
    this.#socket.addEventListener('open', () => this.#present())
    this.#socket.addEventListener('message', ({ data }) => this.#take(data))
    this.#socket.addEventListener('close', ({ code = 1006, reason = '' }) => this.#end(this.#closedBy(code, reason)))
    // Nothing is said here that the close which follows does not say; without a listener the package `ws` throws.
    this.#socket.addEventListener('error', () => this.#end(this.#closedBy(1006, '')))
  }

  /** Sends a frame; on a link that is over, nothing. */
  send(frame: object): void {
    if (this.#state !== 'over') this.#socket.send(JSON.stringify(frame))
  }

  /** Ends it from this side. Nobody is told. */
  close(): void {
    this.#state = 'over'
    clearTimeout(this.#timer)
    this.#socket.close(1000)
  }

  /** A browser can set no header, and a URL is no place for a token. */
  #present(): void {
    const { token } = this.#parts
    this.send(token === undefined ? { id: OPENING, method: 'system.ping' } : { id: OPENING, method: 'auth', params: { token } })
  }

  #take(data: unknown): void {
    if (this.#state === 'over') return
    this.#heardAt = performance.now()
    const frame = typeof data === 'string' ? parsed(data) : undefined
    if (!isRecord(frame)) this.#end(new GatewayError('bad_answer', 'The WebSocket said something that is no JSON object'))
    else if (frame['id'] === OPENING) this.#settle(frame)
    else if (frame['id'] !== SIGN_OF_LIFE) this.#parts.heard(frame)
  }

  #settle(frame: JsonObject): void {
    if (this.#state !== 'opening') return
    if (field(frame, 'ok', 'boolean') !== true) return this.#end(refusalIn(frame))
    this.#state = 'open'
    this.#listen()
    this.#opened?.resolve(this)
  }

  /** Waits for as long a silence as is allowed since something was heard; then asks. */
  #listen(): void {
    const { silenceMs } = this.#parts
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      if (performance.now() - this.#heardAt < silenceMs) this.#listen()
      else this.#ask()
    }, Math.max(1, this.#heardAt + silenceMs - performance.now()))
  }

  /** Whatever is heard in answer will do. */
  #ask(): void {
    const { timeoutMs } = this.#parts
    const askedAt = performance.now()
    this.send({ id: SIGN_OF_LIFE, method: 'system.ping' })
    this.#timer = setTimeout(() => {
      if (this.#heardAt > askedAt) this.#listen()
      else this.#die()
    }, timeoutMs)
  }

  /** Nobody is there to answer a close. */
  #die(): void {
    this.#end(new GatewayError('connection_lost', `The gateway gave no sign of life for ${this.#parts.timeoutMs} ms`))
    this.#socket.terminate?.()
  }

  #closedBy(code: number, reason: string): GatewayError {
    const why = reason === '' ? `close code ${code}` : `${reason} (close code ${code})`
    return this.#state === 'opening'
      ? new GatewayError('unreachable', `The WebSocket at ${this.#parts.url} could not be opened: ${why}`)
      : new GatewayError('connection_lost', `The WebSocket was lost: ${why}`)
  }

  #end(error: GatewayError): void {
    const { state, opened } = { state: this.#state, opened: this.#opened }
    if (state === 'over') return
    this.close()
    if (state === 'opening') opened?.reject(error)
    else this.#parts.lost(error)
  }
}
