/**
 * One HTTP request to a provider. The provider packages make it, and see a `fetch`; the answer is theirs too, unless its
 * bytes are read here. It sends the owner's headers, follows no redirect (a key belongs to one address), notices a provider
 * that has fallen silent, and bounds what it keeps of an answer that has no end. It does not know what is said over it.
 */
import type { IncomingMessage } from 'node:http'
import { RpcError } from '@isopod/plugin-api'
import type { Vendor } from './answer.ts'
import type { Credentials } from './credentials.ts'
import { excerpt, post, responseTo, statusOf } from './post.ts'
import { stopReason } from './stop-reason.ts'

/**
 * How long a provider may send nothing at all. Models that think send keep-alive comments or parts every few seconds; 120 s
 * is above the slowest first token of a local model with a long prompt, and below the 300 s a whole request may take.
 */
const IDLE_MS = 120_000
/** One line of an event stream holds one delta; a line without an end is no event stream. */
const LINE_BYTES = 16 * 1024 * 1024
const NEWLINE = 10

export interface ConnectionParts {
  /** The provider's id, for sentences. */
  readonly id: string
  readonly credentials: Credentials
  /** The header the key goes in. */
  readonly keyHeader: Vendor['keyHeader']
  /** The call's own signal: aborting it ends the request. */
  readonly signal: AbortSignal
  /** A good answer is read from `chunks`, and never shown to the package. */
  readonly isReadHere: boolean
}

/** By its signal, which the packages hand on as it is: all they tell of whose request it is. */
const underWay = new WeakMap<AbortSignal, Connection>()

/** All that a package is told of an answer that is read here. */
class ReadHere extends Error {
  override readonly name = 'ReadHere'
}

export class Connection {
  readonly #id: string
  readonly #credentials: Credentials
  readonly #keyHeader: Vendor['keyHeader']
  readonly #outer: AbortSignal
  readonly #isReadHere: boolean
  readonly #abort = new AbortController()
  readonly #forward = (): void => void this.#stop(stopReason(this.#outer))
  #answer: IncomingMessage | undefined
  #line = 0
  #isWhole = false
  #stopped: RpcError | undefined
  /** Bytes of a successful answer that have arrived. */
  received = 0
  /** Whether any of it made sense. The reader says so: only it knows what is spoken here. */
  understood = false

  constructor({ id, credentials, keyHeader, signal, isReadHere }: ConnectionParts) {
    this.#id = id
    this.#credentials = credentials
    this.#keyHeader = keyHeader
    this.#outer = signal
    this.#isReadHere = isReadHere
    underWay.set(this.#abort.signal, this)
    signal.addEventListener('abort', this.#forward, { once: true })
    if (signal.aborted) this.#forward()
  }

  /** Why the request was ended from this side, if it was. */
  get stopped(): RpcError | undefined {
    return this.#stopped
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Ends the request if it still runs. Safe to call twice. */
  close(): void {
    this.#outer.removeEventListener('abort', this.#forward)
    // An answer that was read to its end has nothing left to abort, and telling all of the request so is costly.
    if (!this.#isWhole) this.#abort.abort()
  }

  /** Whether an answer has come that is to be read here: what the package then throws says nothing else. */
  get isReadHere(): boolean {
    return this.#isReadHere && this.#answer !== undefined
  }

  /**
   * For a package's model, which serves one request after another: makes each on the connection whose signal it carries.
   * Rejects as `fetch` does; `stopped` says whether that was our doing.
   */
  static readonly fetch: typeof globalThis.fetch = async (url, init) => {
    const connection = init?.signal ? underWay.get(init.signal) : undefined
    if (!connection) throw new Error('A provider package made a request of its own')
    return connection.#fetch(url, init)
  }

  async #fetch(...[url, init]: Parameters<typeof globalThis.fetch>): Promise<Response> {
    // The packages give both as text.
    const asked = post(String(url), { headers: this.#headers(init?.headers), body: String(init?.body), signal: this.#abort.signal })
    const answer = await this.#waited(asked)
    const status = statusOf(answer)
    if (status < 200 || status > 299) return excerpt(answer)
    if (answer.headers['content-type']?.startsWith('text/html')) throw this.#stop(garbage(this.#id, 'a web page'))
    this.#answer = answer
    if (this.#isReadHere) throw new ReadHere()
    return responseTo(answer, ReadableStream.from(this.chunks()))
  }

  #headers(given: RequestInit['headers']): Record<string, string> {
    const { key, headers: own } = this.#credentials
    const headers = new Headers(given)
    // The packages have no key and would send an empty one, which some servers refuse.
    for (const name of ['authorization', 'x-api-key']) headers.delete(name)
    if (key !== '') headers.set(...this.#keyHeader(key))
    for (const [name, value] of Object.entries(own)) headers.set(name, value)
    return Object.fromEntries(headers)
  }

  /** The bytes of the answer as they come, and never ahead of their reader: a silence counts only while somebody waits. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    if (!this.#answer) return
    // Without an encoding a stream of Node's gives buffers.
    const chunks = this.#answer[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    for (;;) {
      const { done, value } = await this.#waited(chunks.next()).catch(terminated)
      this.#isWhole = done === true
      if (done === true) return
      this.#count(value)
      yield value
    }
  }

  #count(chunk: Uint8Array): void {
    this.received += chunk.length
    const newline = chunk.lastIndexOf(NEWLINE)
    this.#line = newline < 0 ? this.#line + chunk.length : chunk.length - newline - 1
    if (this.#line > LINE_BYTES) throw this.#stop(garbage(this.#id, 'a line without an end'))
  }

  async #waited<Answer>(answer: Promise<Answer>): Promise<Answer> {
    const timer = setTimeout(() => this.#stop(silence(this.#id)), IDLE_MS)
    try {
      return await answer
    } finally {
      clearTimeout(timer)
    }
  }

  #stop(reason: RpcError): RpcError {
    this.#stopped ??= reason
    this.#abort.abort(reason)
    return this.#stopped
  }
}

/** In `fetch`'s words. */
function terminated(cause: unknown): never {
  throw new TypeError('terminated', { cause })
}

function silence(id: string): RpcError {
  return new RpcError('timeout', `${id} sent nothing for ${IDLE_MS / 1000} seconds`, { retryable: true })
}

/** A refusal for an answer that is not what the API promises. */
export function garbage(id: string, what: string, cause?: unknown): RpcError {
  const advice = `Check models.providers.${id}: its api and its baseUrl must belong together`
  return new RpcError('unavailable', `${id} answered with ${what} instead of a stream of events. ${advice}`, { retryable: false, cause })
}
