/**
 * What a browser wants to hear before a page of another origin may read an answer (the Fetch standard's CORS protocol). Closed
 * unless the owner names the page in `gateway.cors.origins`: only then are there any of these headers. No page is ever let in by
 * a wildcard, and none with the browser's own credentials: it shows a token it was given, or nothing.
 */
import { parseOrigin } from '../auth/host-name.ts'
import type { Names } from '../auth/origin.ts'
import type { BodyWriter, Exchange } from '../transport/exchange.ts'
import { VERBS } from './route-table.ts'

type Headers = Readonly<Record<string, string>>

/** How long a browser need not ask again, in seconds: as long as Chromium remembers at most is 7,200; a config changes sooner. */
const MAX_AGE = '600'
/** What a page may read of an answer's head beside what it always may. */
const EXPOSED = 'ETag, Retry-After, WWW-Authenticate, X-Should-Retry'
/** Names of headers, as a browser lists them. */
const NAME_LIST = /^[\w!#$%&'*+.^`|~-]+(?:\s*,\s*[\w!#$%&'*+.^`|~-]+){0,63}$/

/** Whether a browser asks first whether it may ask. It shows no credential, so nobody is asked for one. */
export function isPreflight({ method, headers }: Exchange): boolean {
  return method === 'OPTIONS' && headers.has('origin') && headers.has('access-control-request-method')
}

/** The exchange, whose answers say to a browser which page may read them where the owner opened the gateway to any. */
export function crossOrigin(exchange: Exchange, { cors }: Names): Exchange {
  if (cors.size === 0) return exchange
  const origin = readerOf(exchange, cors)
  // Also said to whom nothing is allowed, so that no cache hands one page the answer to another.
  const vary = { vary: 'Origin' }
  if (origin === undefined) return new HeadedExchange(exchange, vary)
  return new HeadedExchange(exchange, { ...vary, 'access-control-allow-origin': origin, 'access-control-expose-headers': EXPOSED })
}

/**
 * Answers a preflight. To a page that is not named in the config it says nothing, which a browser takes for a no.
 * @param verbs what the path takes. Of one that is not there, the request itself is told, if it shows a credential.
 */
export function answerPreflight(exchange: Exchange, { cors }: Names, verbs: readonly string[]): void {
  if (readerOf(exchange, cors) === undefined) {
    exchange.reply(204, { 'cache-control': 'no-store' })
    return
  }
  const wanted = exchange.headers.get('access-control-request-headers') ?? ''
  exchange.reply(204, {
    vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
    'access-control-allow-methods': (verbs.length === 0 ? VERBS : verbs).join(', '),
    // Rows see every header that is no credential; which of them a page may send is not worth a list.
    ...(NAME_LIST.test(wanted) && { 'access-control-allow-headers': wanted }),
    // A page from the internet that asks a machine in its reader's own network has to be let in by name.
    ...(exchange.headers.get('access-control-request-private-network') === 'true' && { 'access-control-allow-private-network': 'true' }),
    'access-control-max-age': MAX_AGE,
  })
}

/** The origin as the page's browser wrote it, where the page may read answers. */
function readerOf({ headers }: Exchange, readers: ReadonlySet<string>): string | undefined {
  const origin = headers.get('origin')
  const parsed = origin === undefined ? undefined : parseOrigin(origin)
  return parsed !== undefined && readers.has(parsed.text) ? origin : undefined
}

/** An exchange every answer of which has these headers too. */
class HeadedExchange implements Exchange {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: ReadonlyMap<string, string>
  readonly remoteAddress: string
  readonly #inner: Exchange
  readonly #more: Headers

  constructor(inner: Exchange, more: Headers) {
    this.method = inner.method
    this.path = inner.path
    this.query = inner.query
    this.headers = inner.headers
    this.remoteAddress = inner.remoteAddress
    this.#inner = inner
    this.#more = more
  }

  get signal(): AbortSignal {
    return this.#inner.signal
  }

  get replied(): boolean {
    return this.#inner.replied
  }

  body(maxBytes: number): AsyncIterable<Uint8Array> {
    return this.#inner.body(maxBytes)
  }

  reply(status: number, headers: Headers, body?: string | Uint8Array): void {
    const all = { ...this.#more, ...headers }
    if (body === undefined) this.#inner.reply(status, all)
    else this.#inner.reply(status, all, body)
  }

  stream(status: number, headers: Headers): BodyWriter {
    return this.#inner.stream(status, { ...this.#more, ...headers })
  }
}
