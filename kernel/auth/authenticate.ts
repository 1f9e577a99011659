/**
 * Who is asking: turns the credential of a request or of a socket's first frame into a caller, or into the refusal it gets.
 * What a caller may do follows from the credential and from nothing the client says of itself. It is made anew from each
 * config; the token book and the failures live on. It expects that `Host` and `Origin` were checked before.
 */
import { SCOPES, type Caller, type Refusal } from '@isopod/plugin-api'
import type { RequestHead } from '../transport/exchange.ts'
import { isLoopback } from './address.ts'
import { presented, type Presented } from './credentials.ts'
import { digestOf, sameDigest } from './digest.ts'
import type { Failures } from './failures.ts'
import type { TokenBook } from './tokens.ts'

/** `gateway.auth`. */
export interface AuthRules {
  readonly enabled: boolean
  /** Used instead of the token made at first start. Empty counts as absent. */
  readonly token?: string
  /** Empty counts as absent. */
  readonly password?: string
  /** Whether credentials may stand in the query: true everywhere, false nowhere, and from loopback only unless given. */
  readonly query?: boolean
}

export interface AuthParts {
  readonly tokens: TokenBook
  readonly failures: Failures
}

/** A caller, or the refusal to answer with. */
export type Verdict =
  | { readonly caller: Caller; readonly refusal?: undefined }
  | { readonly refusal: Refusal; readonly caller?: undefined }

/** The callers that are no token of the book. */
const CONFIGURED = 'token:configured'
const PASSWORD = 'password'
const LOCAL = 'local'

/** What a person thinks up and remembers is shorter than this; what a machine makes is longer. */
const WEAK_LENGTH = 16

const UNAUTHORIZED: Verdict = { refusal: { code: 'unauthorized', message: 'Unauthorized' } }
const NOT_IN_QUERY: Verdict = {
  refusal: {
    code: 'unauthorized',
    message: 'A credential in the query is not accepted here: send it in the Authorization header, or set gateway.auth.query: true',
  },
}

export class Authenticator {
  readonly #rules: AuthRules
  readonly #tokens: TokenBook
  readonly #failures: Failures
  readonly #token: string | undefined
  readonly #password: string | undefined

  constructor(rules: AuthRules, { tokens, failures }: AuthParts) {
    const { token = '', password = '' } = rules
    this.#rules = rules
    this.#tokens = tokens
    this.#failures = failures
    this.#token = token === '' ? undefined : digestOf(token)
    this.#password = password === '' ? undefined : digestOf(password)
  }

  /** What `GET /status` says of it: `token` also where both are set. */
  get kind(): 'token' | 'password' | 'none' {
    if (!this.#rules.enabled) return 'none'
    return this.#password !== undefined && this.#token === undefined && this.#tokens.empty ? 'password' : 'token'
  }

  /** Whether the config names a token or a password, so that no first token needs to be made. */
  get configured(): boolean {
    return this.#token !== undefined || this.#password !== undefined
  }

  /** Whether anybody could get in: what binding beyond loopback asks. */
  get hasCredential(): boolean {
    return this.configured || !this.#tokens.empty
  }

  /** What the owner should hear at every start, a sentence each. */
  get warnings(): readonly string[] {
    if (!this.#rules.enabled) {
      return [
        'Authentication is off: every program on this machine can do everything here, approving included. ' +
          'Set gateway.auth.enabled: true',
      ]
    }
    const { token = '', password = '' } = this.#rules
    const weak = Object.entries({ token, password }).filter(([, value]) => value !== '' && value.length < WEAK_LENGTH)
    return weak.map(([name]) => `gateway.auth.${name} has fewer than ${WEAK_LENGTH} characters and can be guessed: use a longer one`)
  }

  /** Who sent this request or upgrade. */
  authenticateHead(head: Pick<RequestHead, 'headers' | 'query' | 'remoteAddress'>): Verdict {
    const queryAllowed = this.#rules.query ?? isLoopback(head.remoteAddress)
    return this.authenticate(presented(head, { queryAllowed }), head.remoteAddress)
  }

  /**
   * Who showed this credential. None at all is `unauthorized` and not counted; a wrong one is counted, and after too many of
   * them the client is `rate_limited`. A token that works passes even then, so that nobody can lock the owner's programs
   * out by failing from the same address; a password does not, since it is what the lock-out protects.
   */
  authenticate(shown: Presented | undefined, remoteAddress: string): Verdict {
    if (!this.#rules.enabled) return isLoopback(remoteAddress) ? grant(LOCAL, SCOPES, remoteAddress) : UNAUTHORIZED
    if (shown === undefined) return UNAUTHORIZED
    if (shown.kind === 'refused') return NOT_IN_QUERY
    const lockedSeconds = this.#failures.lockedFor(remoteAddress)
    const found = shown.kind === 'malformed' ? undefined : this.#find(shown.value)
    if (found !== undefined && (lockedSeconds === 0 || found.id !== PASSWORD)) return grant(found.id, found.scopes, remoteAddress)
    if (lockedSeconds > 0) return tooMany(lockedSeconds)
    this.#failures.count(remoteAddress)
    return UNAUTHORIZED
  }

  /**
   * Counts a credential that was wrong elsewhere: one that a row checks by itself. Answers the lock-out where there is one; a
   * request that showed none is not counted.
   */
  turnedAway(head: Pick<RequestHead, 'headers' | 'query' | 'remoteAddress'>): Refusal | undefined {
    const lockedSeconds = this.#failures.lockedFor(head.remoteAddress)
    if (lockedSeconds > 0) return tooMany(lockedSeconds).refusal
    if (presented(head, { queryAllowed: true }) !== undefined) this.#failures.count(head.remoteAddress)
    return undefined
  }

  /** Whether the credential behind a caller still works. A config that changed is `lapsedSince`'s business. */
  holds(caller: Caller): boolean {
    if (caller.id === LOCAL) return !this.#rules.enabled
    if (caller.id === PASSWORD) return this.#password !== undefined
    if (caller.id === CONFIGURED) return this.#token !== undefined
    const id = caller.id.slice('token:'.length)
    return caller.id === `token:${id}` && this.#rules.enabled && this.#tokens.holds(id) && !this.#superseded.includes(id)
  }

  /** The ids of callers whose credential was good for `earlier` and is another one now: their sockets are to be closed. */
  lapsedSince(earlier: Authenticator): readonly string[] {
    const lapsed: string[] = []
    if (earlier.#token !== undefined && earlier.#token !== this.#token) lapsed.push(CONFIGURED)
    if (earlier.#password !== undefined && earlier.#password !== this.#password) lapsed.push(PASSWORD)
    if (!earlier.#rules.enabled && this.#rules.enabled) lapsed.push(LOCAL)
    if (earlier.#token === undefined) lapsed.push(...this.#superseded.map((id) => `token:${id}`))
    return lapsed
  }

  /** The ids of tokens made at first start, where a configured one is used instead. */
  get #superseded(): readonly string[] {
    return this.#token === undefined ? [] : this.#tokens.list().flatMap(({ id, first }) => (first === true ? [id] : []))
  }

  /**
   * Every value is tried as everything, whatever the client called it: documented clients put passwords where tokens go and
   * the other way round. All comparisons are made before any is looked at, so the time does not tell which one fitted.
   */
  #find(value: string): Pick<Caller, 'id' | 'scopes'> | undefined {
    const digest = digestOf(value)
    const isConfigured = this.#token !== undefined && sameDigest(digest, this.#token)
    const isPassword = this.#password !== undefined && sameDigest(digest, this.#password)
    const made = this.#tokens.find(digest)
    if (isConfigured) return { id: CONFIGURED, scopes: SCOPES }
    if (made !== undefined && !(made.first === true && this.#token !== undefined)) {
      this.#tokens.used(made.id)
      return { id: `token:${made.id}`, scopes: made.scopes }
    }
    return isPassword ? { id: PASSWORD, scopes: SCOPES } : undefined
  }
}

function grant(id: string, scopes: Caller['scopes'], address: string): Verdict {
  return { caller: { id, scopes, origin: 'owner', address } }
}

function tooMany(retryAfterSeconds: number): Verdict {
  const message = 'Too many failed authentication attempts. Please try again later.'
  return { refusal: { code: 'rate_limited', message, retryable: true, retryAfterSeconds } }
}
