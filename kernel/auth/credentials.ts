/**
 * The credential a request carries, found in any of the places the documented clients put it. Pure: it neither knows which
 * credentials are valid nor counts anything. What stands in a credential's place but cannot be one is `malformed`, never
 * absent, so that guessing with broken headers is counted like any other guess.
 *
 * Where several are sent, the first of these decides, even if it is malformed: `X-OpenClaw-Token`, `X-OpenClaw-Password`,
 * `Authorization`, `?token=`, `?password=`. The gateway's own headers come first because `Authorization` may be meant for a
 * proxy in between, or be a dummy that an SDK insists on; the query comes last because it is the weakest place.
 */
import type { RequestHead } from '../transport/exchange.ts'

/** Where a credential came from. `basic` is Authorization's Basic, `frame` the first frame of a socket. */
export type CredentialPlace = 'authorization' | 'basic' | 'header' | 'query' | 'frame'

/** `kind` is what the client called it. Which it is, is found out by trying. */
export interface Credential {
  readonly kind: 'token' | 'password'
  readonly value: string
  readonly via: CredentialPlace
}

/** A credential that cannot be tried: `malformed` counts as a wrong one; `refused` came in a place that is not allowed. */
export type UnusableCredential =
  | { readonly kind: 'malformed'; readonly via: CredentialPlace }
  | { readonly kind: 'refused'; readonly via: CredentialPlace }

export type Presented = Credential | UnusableCredential

export interface PresentationRules {
  /** Whether `?token=` and `?password=` may be used by this client. */
  readonly queryAllowed: boolean
}

/** Longer text is no credential. A token of ours has 50 characters; what identity providers make stays under 4 KiB. */
const LONGEST = 4096
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/
/** What a parameter's name or value contains when it may be a credential, whatever client wrote it. */
const TELLTALE = /token|password|passwd|secret|credential|auth|api[-_]?key/i

/** The credential of a request head, or undefined where none was sent. Never throws. */
export function presented(head: Pick<RequestHead, 'headers' | 'query'>, rules: PresentationRules): Presented | undefined {
  const { headers } = head
  return (
    fromHeader('token', headers.get('x-openclaw-token')) ??
    fromHeader('password', headers.get('x-openclaw-password')) ??
    fromAuthorization(headers.get('authorization')) ??
    fromQuery(head.query, rules)
  )
}

/** The credential of a socket's first frame; the token decides where both are given. An empty one is an empty form field: absent. */
export function presentedInFrame(auth: { readonly token?: unknown; readonly password?: unknown }): Presented | undefined {
  for (const kind of ['token', 'password'] as const) {
    const value = auth[kind]
    if (value === undefined || value === null || value === '') continue
    return typeof value === 'string' ? credential(kind, value, 'frame') : { kind: 'malformed', via: 'frame' }
  }
  return undefined
}

/**
 * The query with everything that may be a credential replaced, for logs. Rather too much than too little: a parameter goes
 * whose name or value merely looks as if it carried one.
 */
export function withoutCredentials(query: string): string {
  return query.split('&').map(redacted).join('&')
}

function redacted(pair: string): string {
  if (!TELLTALE.test(pair) && !TELLTALE.test(decoded(pair) ?? 'token')) return pair
  const [name = ''] = pair.split('=', 1)
  // A name that is none of ours can hold the secret itself (`?a?token=x` and the like), so only known names are kept.
  return name === 'token' || name === 'password' ? `${name}=[redacted]` : '[redacted]'
}

function fromHeader(kind: Credential['kind'], value: string | undefined): Presented | undefined {
  return value === undefined ? undefined : credential(kind, value, 'header')
}

function fromAuthorization(value: string | undefined): Presented | undefined {
  if (value === undefined) return undefined
  const [, scheme = '', rest = ''] = /^(\S+) +(.*)$/.exec(value) ?? []
  if (scheme.toLowerCase() === 'bearer') return credential('token', rest, 'authorization')
  if (scheme.toLowerCase() === 'basic') return fromBasic(rest)
  return { kind: 'malformed', via: 'authorization' }
}

/** RFC 7617: base64 of `user:password`; the password is everything behind the first colon. The user's name says nothing. */
function fromBasic(encoded: string): Presented {
  const text = BASE64.test(encoded) ? Buffer.from(encoded, 'base64').toString('utf8') : ''
  const colon = text.indexOf(':')
  return colon === -1 ? { kind: 'malformed', via: 'basic' } : credential('password', text.slice(colon + 1), 'basic')
}

function fromQuery(query: string, rules: PresentationRules): Presented | undefined {
  if (query === '') return undefined
  const pairs = query.split('&').map(parameter)
  for (const kind of ['token', 'password'] as const) {
    const found = pairs.filter((pair) => pair.name === kind)
    if (found.length === 0) continue
    if (!rules.queryAllowed) return { kind: 'refused', via: 'query' }
    // Sent twice, it is unclear which one is meant; a proxy may have looked at the other.
    return credential(kind, found.length === 1 ? found[0]?.value : undefined, 'query')
  }
  return undefined
}

function parameter(pair: string): { readonly name: string | undefined; readonly value: string | undefined } {
  const equals = pair.indexOf('=')
  const [name, value] = equals === -1 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)]
  return { name: decoded(name), value: decoded(value) }
}

/** As HTML forms and URLSearchParams write it. Undefined where the percent-encoding is broken. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

function credential(kind: Credential['kind'], value: string | undefined, via: CredentialPlace): Presented {
  const fits = value !== undefined && value !== '' && value.length <= LONGEST && !/\p{Cc}/u.test(value)
  return fits ? { kind, value, via } : { kind: 'malformed', via }
}
