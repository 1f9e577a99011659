/**
 * What a caller can be told when a call is not carried out. There is one table of refusals for the whole gateway; each
 * dialect and each family of routes spells it in its own way, and nothing else crosses the wire as an error. Anything
 * that is not an `RpcError` is a bug: the log has its cause, the caller only hears `internal`.
 */

/** Every refusal the gateway knows, by its canonical name. A new one needs a caller who would act differently on it. */
export const REFUSALS = [
  'invalid_request',
  'unauthorized',
  'forbidden',
  'not_found',
  'method_not_found',
  'conflict',
  'timeout',
  'rate_limited',
  'payload_too_large',
  'internal',
  'unavailable',
  'cancelled',
  'budget_exceeded',
] as const

export type RefusalCode = (typeof REFUSALS)[number]

/** The further facts of a refusal. All of them may be shown to the caller. */
export interface RefusalFacts {
  /** The parameter that was wrong, as the caller spelled it. */
  readonly param?: string
  /** Whether the same call may succeed later without a change. */
  readonly retryable?: boolean
  /** How long to wait before trying again, in seconds. */
  readonly retryAfterSeconds?: number
  /** Anything else a program may want to read. JSON. */
  readonly details?: unknown
  /** What went wrong underneath, for the log. Never crosses the wire. */
  readonly cause?: unknown
}

/** A refusal as data: what crosses a socket, a route or the wall. */
export interface Refusal extends Omit<RefusalFacts, 'cause'> {
  readonly code: RefusalCode
  readonly message: string
}

/** Thrown where a call is refused. The message is a sentence for the person who must act, and may be shown to anyone. */
export class RpcError extends Error {
  override readonly name = 'RpcError'
  readonly code: RefusalCode
  readonly param: string | undefined
  readonly retryable: boolean | undefined
  readonly retryAfterSeconds: number | undefined
  readonly details: unknown

  constructor(code: RefusalCode, message: string, facts: RefusalFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.code = code
    this.param = facts.param
    this.retryable = facts.retryable
    this.retryAfterSeconds = facts.retryAfterSeconds
    this.details = facts.details
  }
}

/**
 * Whether something thrown is a refusal. Told by shape and code, never by `instanceof`: a bundled plugin carries its own
 * copy of this class.
 */
export function isRpcError(thrown: unknown): thrown is RpcError {
  if (typeof thrown !== 'object' || thrown === null) return false
  const { name, code } = thrown as { name?: unknown; code?: unknown }
  return name === 'RpcError' && typeof code === 'string' && (REFUSALS as readonly string[]).includes(code)
}

/** The refusal inside an `RpcError`, as plain data with the absent facts left out. */
export function refusalOf(error: RpcError): Refusal {
  const refusal: { -readonly [Key in keyof Refusal]: Refusal[Key] } = { code: error.code, message: error.message }
  if (error.param !== undefined) refusal.param = error.param
  if (error.retryable !== undefined) refusal.retryable = error.retryable
  if (error.retryAfterSeconds !== undefined) refusal.retryAfterSeconds = error.retryAfterSeconds
  if (error.details !== undefined) refusal.details = error.details
  return refusal
}

/** The error that carries a refusal again on this side of a wire. */
export function errorOf(refusal: Refusal): RpcError {
  const { code, message, ...facts } = refusal
  return new RpcError(code, message, facts)
}

/** The refusal of a parameter. The problem completes the sentence that begins with its name. */
export function wrongParam(param: string, problem: string): RpcError {
  return new RpcError('invalid_request', `${param} ${problem}`, { param })
}
