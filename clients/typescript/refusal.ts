/**
 * A refusal as the gateway spells it, read back: `{"error":{"code","message",...}}` of most URLs and of the sockets, and
 * the flat `{"error":"code","message","status","details"}` of `/api/v1`. It knows spellings only, not what to do about them.
 */
import { GatewayError } from './gateway-error.ts'
import { field, isRecord, type Json } from './json.ts'

/** Where a code is spelled otherwise than this client does: `/api/v1`, HTTP in general, and the typed dialect. */
const SYNONYMS: ReadonlyMap<string, string> = new Map([
  ['bad_request', 'invalid_request'],
  ['internal_error', 'internal'],
  ['service_unavailable', 'unavailable'],
  ['auth_required', 'unauthorized'],
])

/** For a status whose body says nothing: a proxy's, say. */
const BY_STATUS: ReadonlyMap<number, string> = new Map([
  [400, 'invalid_request'],
  [401, 'unauthorized'],
  [403, 'forbidden'],
  [404, 'not_found'],
  [405, 'invalid_request'],
  [408, 'timeout'],
  [409, 'conflict'],
  [413, 'payload_too_large'],
  [415, 'invalid_request'],
  [421, 'invalid_request'],
  [429, 'rate_limited'],
  [502, 'unavailable'],
  [503, 'unavailable'],
  [504, 'timeout'],
])

/** The status that a code has on HTTP, for refusals that come without one. */
const STATUSES: ReadonlyMap<string, number> = new Map([
  ['invalid_request', 400],
  ['unauthorized', 401],
  ['forbidden', 403],
  ['not_found', 404],
  ['method_not_found', 404],
  ['conflict', 409],
  ['cancelled', 409],
  ['payload_too_large', 413],
  ['rate_limited', 429],
  ['budget_exceeded', 429],
  ['internal', 500],
  ['unavailable', 503],
  ['timeout', 504],
])

/** What came beside the body. */
export interface Envelope {
  readonly status?: number | undefined
  /** Seconds. */
  readonly retryAfter?: number | undefined
}

/** The error a body says, of whichever family; any JSON, and undefined where the body was none. */
export function refusalIn(body: Json | undefined, { status, retryAfter }: Envelope = {}): GatewayError {
  const outer = isRecord(body) ? body : {}
  const error = isRecord(outer['error']) ? outer['error'] : { ...outer, code: outer['error'] ?? null }
  const shown = status ?? field(error, 'status', 'number')
  const code = codeIn(error, shown)
  const waitMs = field(error, 'retryAfterMs', 'number')
  const details = isRecord(error['details']) ? error['details'] : undefined
  return new GatewayError(code, field(error, 'message', 'string') ?? `The gateway answered ${shown ?? 'with an error'} and gave no reason`, {
    status: shown ?? STATUSES.get(code),
    // The flat shape names it among the details.
    param: field(error, 'param', 'string') ?? (details && field(details, 'param', 'string')),
    retryAfter: retryAfter ?? (waitMs === undefined ? undefined : waitMs / 1000),
    retryable: field(error, 'retryable', 'boolean'),
    details,
  })
}

function codeIn(error: Readonly<Record<string, Json>>, status: number | undefined): string {
  const code = field(error, 'code', 'string')?.toLowerCase()
  if (code === undefined) return BY_STATUS.get(status ?? 0) ?? (status !== undefined && status < 500 ? 'bad_answer' : 'internal')
  return SYNONYMS.get(code) ?? code
}
