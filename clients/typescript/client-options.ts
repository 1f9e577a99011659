/** What a client is made with, checked once, so that a mistake is told where it was made and not by the first request. */
import { GatewayError } from './gateway-error.ts'
import type { WebSocketConstructor } from './link.ts'

/** What `new OpenClawClient` takes. */
export interface ClientOptions {
  /** Where the gateway listens, such as `http://127.0.0.1:18789`; a path before its own is kept. */
  readonly baseUrl: string
  /** The gateway's token. It goes into a header, or into a socket's first frame; never into a URL or a log. */
  readonly token?: string | undefined
  /** How long an answer may take, in milliseconds; 300,000 unless said, as long as the gateway itself gives a request. */
  readonly timeoutMs?: number | undefined
  /** How often a request that may safely be repeated is tried again; 2 unless said. */
  readonly retries?: number | undefined
  /** For runtimes without a global `WebSocket`, Node 20 among them: that of the npm package `ws`, for instance. */
  readonly WebSocket?: WebSocketConstructor | undefined
}

/** What every single request takes. */
export interface CallOptions {
  /** Ends the request; it then rejects with the signal's reason. A run that was asked for is aborted. */
  readonly signal?: AbortSignal | undefined
  /** In milliseconds; the client's own unless said. */
  readonly timeoutMs?: number | undefined
}

/** The options with everything settled. */
export interface Settings {
  readonly baseUrl: URL
  readonly token: string | undefined
  readonly timeoutMs: number
  readonly retries: number
  readonly WebSocket: WebSocketConstructor | undefined
}

/** Milliseconds: the documented default deadline of a request. */
const TIMEOUT_MS = 300_000
const RETRIES = 2

/** @throws GatewayError `invalid_request` that names the option; never with the token in it. */
export function settled({ baseUrl, token, timeoutMs, retries, WebSocket }: ClientOptions): Settings {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') throw wrong('baseUrl', 'must be an http or https URL, such as http://127.0.0.1:18789')
  if (url.username !== '' || url.password !== '') throw wrong('baseUrl', 'must not hold a credential: pass it as `token`')
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  url.search = ''
  url.hash = ''
  // A header that cannot be sent is refused by `fetch` with the whole header in the message.
  if (token !== undefined && !/^[\x21-\x7e]*$/.test(token)) throw wrong('token', 'has a character that no header can carry; a line break at its end, perhaps')
  return {
    baseUrl: url,
    token: token === '' ? undefined : token,
    timeoutMs: positive(timeoutMs ?? TIMEOUT_MS, 'timeoutMs'),
    retries: counted(retries ?? RETRIES),
    WebSocket,
  }
}

function positive(value: number, param: string): number {
  if (!(value > 0)) throw wrong(param, 'must be a number of milliseconds above 0')
  return value
}

function counted(value: number): number {
  if (!Number.isInteger(value) || value < 0) throw wrong('retries', 'must be a whole number, 0 or more')
  return value
}

function wrong(param: string, problem: string): GatewayError {
  return new GatewayError('invalid_request', `${param} ${problem}`, { param })
}
