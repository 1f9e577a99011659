/**
 * Which request heads are taken in at all. Two parsers stand below: uWebSockets' is lax (it takes the first of two
 * Content-Lengths and reads any Transfer-Encoding as chunked), Node's is stricter; both are held to the rules of this
 * file, because a proxy in front that reads a request differently is how requests are smuggled. Pure: it sees a head and
 * answers with a refusal. Whether a Host is allowed is not asked here but by the authentication above.
 */
import type { RequestHead } from './exchange.ts'

/** A request that is not well formed. It is answered with `status` and the connection is closed. */
export interface Malformed {
  readonly status: number
  /** A sentence for the client's author. */
  readonly reason: string
}

/** A refused handshake, ready to be sent. */
interface RefusedHandshake {
  readonly accept: false
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** uWebSockets counts to 100 with the request line and its own terminator included; this stays below it. */
const MAX_HEADERS = 96
/** The whole head in bytes, request line included: Node's default, to which uWebSockets (4 KiB by itself) is raised. */
export const MAX_HEAD_BYTES = 16_384
/** A head must be complete after this, and a kept connection carry its next request: uWebSockets' own constant. */
export const HEAD_TIMEOUT_SECONDS = 10

/** By lower case, since uWebSockets folds the method's case. */
const METHODS: ReadonlyMap<string, string> = new Map(
  ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].map((method) => [method.toLowerCase(), method]),
)

/** Twice means that two readers may believe two things: how long the body is, who is asking, for whom, in what form. */
const ONCE: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'authorization',
  'origin',
  'content-type',
  'sec-websocket-key',
  'sec-websocket-version',
])

const NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/ // RFC 9110, 5.6.2: token
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\0-\x08\x0a-\x1f\x7f]/ // RFC 9110, 5.5: all but the tab
const TARGET = /^\/[\x21\x22\x24-\x7e]*$/ // visible ASCII, no fragment
const QUERY = /^[\x21\x22\x24-\x7e]*$/
const LENGTH = /^\d{1,15}$/ // below 2^53
const KEY = /^[+/0-9A-Za-z]{22}==$/ // RFC 6455, 4.1: 16 bytes in base64

export const UNKNOWN_METHOD: Malformed = Object.freeze({
  status: 501,
  reason: `The method is not one of ${[...METHODS.values()].join(', ')}.`,
})
export const HEAD_TOO_LARGE: Malformed = Object.freeze({
  status: 431,
  reason: `The request head has more than ${MAX_HEADERS} headers or ${MAX_HEAD_BYTES} bytes.`,
})

/** The method in upper case, where the gateway knows it. */
export function knownMethod(method: string): string | undefined {
  return METHODS.get(method.toLowerCase())
}

/** Adds one header line to `headers`; the name is in lower case. Answers why the request must be refused, or nothing. */
export function addHeader(headers: Map<string, string>, name: string, value: string): string | undefined {
  if (!NAME.test(name)) return 'A header has no name, or a name with characters that are not allowed there.'
  if (CONTROL.test(value)) return `The header ${name} has a control character.`
  const earlier = headers.get(name)
  if (earlier === undefined) headers.set(name, value)
  else if (ONCE.has(name)) return `The header ${name} came twice.`
  else headers.set(name, name === 'cookie' ? `${earlier}; ${value}` : `${earlier}, ${value}`)
  return undefined
}

/** Why a head whose headers were all added must be refused, or nothing. */
export function findFault(path: string, query: string, headers: ReadonlyMap<string, string>): Malformed | undefined {
  if (headers.size > MAX_HEADERS) return HEAD_TOO_LARGE
  if (!TARGET.test(path) || !QUERY.test(query)) return badRequest('The request target must be a percent-encoded path that begins with /.')
  if (!headers.get('host')) return badRequest('The header host is missing.')
  const coding = headers.get('transfer-encoding')
  const length = headers.get('content-length')
  if (coding === undefined && length === undefined) return undefined
  if (coding !== undefined && length !== undefined) return badRequest('Content-Length and Transfer-Encoding exclude each other.')
  if (coding !== undefined && coding !== 'chunked') return badRequest('The only Transfer-Encoding taken is exactly "chunked".')
  if (length !== undefined && !LENGTH.test(length)) return badRequest('The Content-Length is not a number of bytes.')
  return undefined
}

export function badRequest(reason: string): Malformed {
  return { status: 400, reason }
}

/** The JSON body of a refusal that the transport itself sends. */
export function refusalBody(reason: string): string {
  return JSON.stringify({ ok: false, error: { message: reason, type: 'invalid_request_error', code: 'invalid_request' } })
}

/** How many bytes the body has: 0 for none, nothing where it comes in chunks. */
export function declaredLength(headers: ReadonlyMap<string, string>): number | undefined {
  if (headers.has('transfer-encoding')) return undefined
  return Number(headers.get('content-length') ?? 0)
}

/** Whether this is the wish for a WebSocket. Any other Upgrade may be ignored (RFC 9110, 7.8), and is. */
export function wantsSocket(method: string, headers: ReadonlyMap<string, string>): boolean {
  return (
    headers.get('upgrade')?.toLowerCase() === 'websocket' &&
    method === 'GET' &&
    /(^|[\s,])upgrade($|[\s,])/i.test(headers.get('connection') ?? '')
  )
}

/** Why a handshake cannot succeed (RFC 6455, 4.2.1), as the reply to it, or nothing. */
export function refuseHandshake({ headers }: Pick<RequestHead, 'headers'>): RefusedHandshake | undefined {
  if (headers.get('sec-websocket-version') !== '13') {
    return refused(426, 'The only WebSocket version spoken is 13.', { 'sec-websocket-version': '13' })
  }
  if (KEY.test(headers.get('sec-websocket-key') ?? '')) return undefined
  return refused(400, 'The header sec-websocket-key is missing or not 16 bytes in base64.')
}

/** The subprotocol to confirm: the one decided on, where the client offered it. A browser fails on any other. */
export function confirmedSubprotocol(headers: ReadonlyMap<string, string>, decided: string | undefined): string {
  if (decided === undefined) return ''
  const offered = (headers.get('sec-websocket-protocol') ?? '').split(',').map((name) => name.trim())
  return offered.includes(decided) ? decided : ''
}

function refused(status: number, reason: string, headers: Readonly<Record<string, string>> = {}): RefusedHandshake {
  return { accept: false, status, headers: { 'content-type': 'application/json', ...headers }, body: refusalBody(reason) }
}
