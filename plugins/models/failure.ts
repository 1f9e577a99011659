/**
 * What went wrong with a provider, as a refusal: whose fault it is, whether trying again can help, and what the owner has to
 * change. The provider's own words are kept where they help the person who asked, without any secret in them; nothing else of
 * the request or the answer leaves this file, least of all into the log.
 */
import { isRpcError, RpcError, type RefusalFacts } from '@isopod/plugin-api'
import { garbage, type Connection } from './connection.ts'
import type { Credentials } from './credentials.ts'
import { retryAfterSeconds } from './retry-after.ts'

/** Of whom and of what the failure is told. */
export interface Circumstances {
  /** The provider's id. */
  readonly id: string
  /** Where its key comes from: a field of the config, or a variable of the environment. */
  readonly keySource: string
  readonly credentials: Credentials
  readonly connection: Connection
  /** The vendor's own host; absent where the owner has named an address. */
  readonly vendorHost?: string
  /** Milliseconds since 1970. */
  readonly now: number
}

/** What the provider packages throw and stream has these fields, where it has any. */
interface Thrown {
  readonly name?: unknown
  readonly message?: unknown
  readonly statusCode?: unknown
  readonly code?: unknown
  readonly type?: unknown
  readonly data?: unknown
  readonly cause?: unknown
  readonly responseHeaders?: Readonly<Record<string, string>>
}

/** As much of a provider's sentence as anybody reads. */
const WORDS = 300

/** The refusal for what a provider package threw or streamed as an error. Never throws. */
export function failure(raw: unknown, at: Circumstances): RpcError {
  if (at.connection.stopped) return at.connection.stopped
  if (isRpcError(raw)) return raw
  const thrown = (typeof raw === 'object' && raw !== null ? raw : { message: String(raw) }) as Thrown
  const status = statusOf(thrown)
  if (status !== undefined) return byStatus(status, thrown, at)
  const facts = { cause: cause(thrown, at) }
  switch (thrown.name) {
    case 'AI_UnsupportedFunctionalityError':
    case 'AI_InvalidPromptError':
    case 'AI_InvalidArgumentError':
      return new RpcError('invalid_request', `${at.id} does not take this request${words(thrown, at)}`, { ...facts, param: 'messages' })
    case 'AI_InvalidResponseDataError':
      // One package says in this way that the stream ended too early; it then has no data to show.
      return thrown.data === undefined ? unfinished(at) : garbage(at.id, 'something else', facts.cause)
    case 'AI_JSONParseError':
    case 'AI_TypeValidationError':
    case 'AI_EmptyResponseBodyError':
    case 'Error':
      return garbage(at.id, 'something else', facts.cause)
    case undefined:
      return new RpcError('unavailable', `${at.id} broke off${words(thrown, at)}`, { ...facts, retryable: true })
    default:
      return at.connection.received > 0 ? unfinished(at, facts.cause) : unreachable(thrown, at)
  }
}

/** The refusal for a stream that ended before the provider said that it had finished. */
export function unfinished(at: Circumstances, because?: unknown): RpcError {
  if (at.connection.received > 0 && !at.connection.understood) return garbage(at.id, 'something else', because)
  return new RpcError('unavailable', `${at.id} broke off in the middle of its answer`, { retryable: true, cause: because })
}

function unreachable(thrown: Thrown, at: Circumstances): RpcError {
  const code = codeOf(thrown)
  const why = code ? ` (${code})` : ''
  const message =
    at.vendorHost === undefined
      ? `${at.id} cannot be reached${why}. Check that it runs, and models.providers.${at.id}.baseUrl`
      : `${at.id} cannot be reached at ${at.vendorHost}${why}: check your network`
  return new RpcError('unavailable', message, { retryable: true, cause: cause(thrown, at) })
}

function byStatus(status: number, thrown: Thrown, at: Circumstances): RpcError {
  const { id } = at
  const said = words(thrown, at)
  const wait = retryAfterSeconds(thrown.responseHeaders ?? {}, at.now)
  const facts: RefusalFacts = { cause: cause(thrown, at), ...(wait !== undefined && { retryAfterSeconds: wait }) }
  if (status === 401 || status === 403) return new RpcError('unavailable', keyRefused(status, at), { ...facts, retryable: false })
  if (status === 402) return new RpcError('unavailable', `${id} wants to be paid first${said}`, { ...facts, retryable: false })
  if (status === 404) return new RpcError('invalid_request', unknownModel(said, at), { ...facts, param: 'model' })
  if (status === 413) return new RpcError('payload_too_large', `The request is too large for ${id}${said}`, facts)
  if (status === 429) return new RpcError('rate_limited', `${id} takes no more requests for now${said}`, { ...facts, retryable: !isUsedUp(thrown) })
  if (status >= 500 || status === 408 || status === 409 || status === 425) {
    return new RpcError('unavailable', `${id} has a problem of its own (${status})${said}`, { ...facts, retryable: true })
  }
  if (status < 400) {
    const message = `${id} points to another address (${status}). Set models.providers.${id}.baseUrl to it`
    return new RpcError('unavailable', message, { ...facts, retryable: false })
  }
  return new RpcError('invalid_request', `${id} does not take this request (${status})${said}`, facts)
}

function keyRefused(status: number, { id, keySource, credentials }: Circumstances): string {
  if (credentials.key === '') return `${id} wants a key (${status}) and has none. Set ${keySource}`
  return `${id} does not accept its key (${status}). Check ${keySource}`
}

function unknownModel(said: string, { id }: Circumstances): string {
  return `${id} knows no such model, or nothing answers at its address (404)${said}. Check the model's name and models.providers.${id}.baseUrl`
}

/** A quota that is used up comes back with money, not with time. */
function isUsedUp(thrown: Thrown): boolean {
  return /insufficient_quota|billing/.test(kindOf(thrown))
}

/** The HTTP status, or the one that an error in the stream amounts to. Undefined where the request itself succeeded. */
function statusOf(thrown: Thrown): number | undefined {
  const { statusCode, code } = thrown
  if (typeof statusCode === 'number') return statusCode >= 300 ? statusCode : undefined
  if (Number(code) >= 400 && Number(code) <= 599) return Number(code)
  const kind = kindOf(thrown)
  if (/rate_limit|quota|too_many/.test(kind)) return 429
  if (/authentication|invalid_api_key/.test(kind)) return 401
  if (/context_length|invalid_request/.test(kind)) return 400
  return /overload|server_error/.test(kind) ? 503 : undefined
}

/** The vendor's own names for the kind of error, wherever it stands. Those of our packages' errors are not of a vendor. */
function kindOf(thrown: Thrown): string {
  const body = thrown.data as { readonly error?: { readonly type?: unknown; readonly code?: unknown } } | undefined
  return [thrown.type, thrown.code, body?.error?.type, body?.error?.code].filter((one) => typeof one === 'string').join(' ')
}

/** The system's name of a network failure, such as ECONNREFUSED. */
function codeOf(thrown: Thrown): string | undefined {
  for (let at: unknown = thrown, depth = 0; depth < 5 && typeof at === 'object' && at !== null; depth += 1) {
    const { code, cause: inner } = at as Thrown
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,40}$/.test(code)) return code
    at = inner
  }
  return undefined
}

/** What the provider says, as the end of a sentence. */
function words(thrown: Thrown, { credentials }: Circumstances): string {
  if (typeof thrown.message !== 'string') return ''
  const text = credentials.redacted(thrown.message).replaceAll(/\s+/g, ' ').replaceAll(/\p{C}/gu, '').trim()
  return text === '' ? '' : `: ${text.length > WORDS ? `${text.slice(0, WORDS).trimEnd()}...` : text}`
}

/** For the log: the kind and the words. The error itself carries the whole prompt and the headers. */
function cause(thrown: Thrown, at: Circumstances): Error {
  const name = typeof thrown.name === 'string' ? thrown.name : 'error'
  return new Error([name, kindOf(thrown), codeOf(thrown)].filter(Boolean).join(' ') + words(thrown, at))
}
