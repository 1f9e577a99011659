/**
 * One HTTP request to a provider, as the provider packages see it: a `fetch`. It sends the owner's headers, follows no
 * redirect (a key belongs to one address), notices a provider that has fallen silent, and bounds what it keeps of an answer
 * that has no end. It does not know what is said over it.
 */
import { RpcError } from '@isopod/plugin-api'
import type { Vendor } from './answer.ts'
import type { Credentials } from './credentials.ts'
import { stopReason } from './stop-reason.ts'

/**
 * How long a provider may send nothing at all. Models that think send keep-alive comments or parts every few seconds; 120 s
 * is above the slowest first token of a local model with a long prompt, and below the 300 s a whole request may take.
 */
const IDLE_MS = 120_000
/** An error's body: enough for every vendor's sentence, and no more time than a person would wait for it. */
const ERROR_BYTES = 64 * 1024
const ERROR_MS = 5_000
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
}

/** By its signal, which the packages hand on as it is: all they tell of whose request it is. */
const underWay = new WeakMap<AbortSignal, Connection>()

export class Connection {
  readonly #id: string
  readonly #credentials: Credentials
  readonly #keyHeader: Vendor['keyHeader']
  readonly #outer: AbortSignal
  readonly #abort = new AbortController()
  readonly #forward = (): void => void this.#stop(stopReason(this.#outer))
  #line = 0
  #isWhole = false
  #stopped: RpcError | undefined
  /** Bytes of a successful answer that have arrived. */
  received = 0
  /** Whether any of it made sense. The reader says so: only it knows what is spoken here. */
  understood = false

  constructor({ id, credentials, keyHeader, signal }: ConnectionParts) {
    this.#id = id
    this.#credentials = credentials
    this.#keyHeader = keyHeader
    this.#outer = signal
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
    const { signal } = this.#abort
    const asked = globalThis.fetch(url, { ...init, headers: this.#headers(init?.headers), redirect: 'manual', signal })
    const response = await this.#waited(asked)
    if (!response.ok) return excerpt(response)
    if (response.headers.get('content-type')?.startsWith('text/html')) throw this.#stop(garbage(this.#id, 'a web page'))
    const { status, headers } = response
    return response.body ? new Response(this.#watched(response.body), { status, headers }) : response
  }

  #headers(given: RequestInit['headers']): Headers {
    const { key, headers: own } = this.#credentials
    const headers = new Headers(given)
    // The packages have no key and would send an empty one, which some servers refuse.
    for (const name of ['authorization', 'x-api-key']) headers.delete(name)
    if (key !== '') headers.set(...this.#keyHeader(key))
    for (const [name, value] of Object.entries(own)) headers.set(name, value)
    return headers
  }

  /** The body as it comes, and never ahead of its reader: a silence counts only while somebody waits. */
  #watched(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const reader = body.getReader()
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const { done, value } = await this.#waited(reader.read())
        this.#isWhole = done
        if (done) return controller.close()
        this.#count(value)
        controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason),
    }, { highWaterMark: 0 })
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

function silence(id: string): RpcError {
  return new RpcError('timeout', `${id} sent nothing for ${IDLE_MS / 1000} seconds`, { retryable: true })
}

/** A refusal for an answer that is not what the API promises. */
export function garbage(id: string, what: string, cause?: unknown): RpcError {
  const advice = `Check models.providers.${id}: its api and its baseUrl must belong together`
  return new RpcError('unavailable', `${id} answered with ${what} instead of a stream of events. ${advice}`, { retryable: false, cause })
}

/** The beginning of an error's body, without waiting for the rest of it. */
async function excerpt(response: Response): Promise<Response> {
  const { status, headers } = response
  const bytes = response.body ? await beginning(response.body) : Buffer.alloc(0)
  return new Response(bytes.length > 0 ? bytes : null, { status, headers })
}

async function beginning(body: ReadableStream<Uint8Array>): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  const reader = body.getReader()
  const timer = setTimeout(() => void reader.cancel().catch(() => {}), ERROR_MS)
  try {
    for (let size = 0; size < ERROR_BYTES;) {
      const { done, value } = await reader.read()
      if (done) break
      chunks.push(value)
      size += value.length
    }
  } catch {
    // The status says enough: an error whose body was cut is still that error.
  } finally {
    clearTimeout(timer)
    void reader.cancel().catch(() => {})
  }
  return Buffer.concat(chunks)
}
