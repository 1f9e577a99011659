/**
 * The one error this client throws. The gateway spells refusals differently on each family of URLs and on its sockets; here
 * each has one code, whichever way it came. What went wrong before the gateway could answer has a code of its own.
 */

/** What the gateway refuses with. */
type RefusalCode =
  | 'invalid_request'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'method_not_found'
  | 'conflict'
  | 'timeout'
  | 'rate_limited'
  | 'payload_too_large'
  | 'internal'
  | 'unavailable'
  | 'cancelled'
  | 'budget_exceeded'

/**
 * `unreachable`: no connection came about. `connection_lost`: it broke off, and what was asked may or may not have been done.
 * `interrupted`: the gateway stopped while the run was open. `closed`: this side closed the connection. `bad_answer`: what
 * came back is nothing a gateway says. `timeout` is also what this side's own patience ends with; then there is no status.
 */
export type ErrorCode = RefusalCode | 'unreachable' | 'connection_lost' | 'interrupted' | 'closed' | 'bad_answer'

/** What is known of an error beside its code and its sentence. */
export interface ErrorFacts {
  readonly status?: number | undefined
  readonly param?: string | undefined
  readonly retryAfter?: number | undefined
  readonly retryable?: boolean | undefined
  readonly details?: Readonly<Record<string, unknown>> | undefined
  readonly cause?: unknown
}

/** A call that was refused, or could not be carried out. */
export class GatewayError extends Error {
  /** One of `ErrorCode`; a code of a gateway newer than this client passes as it came, in lower case. */
  readonly code: ErrorCode | (string & {})
  /** The HTTP status; over the WebSocket the one that HTTP would have had. Undefined where the gateway did not answer. */
  readonly status: number | undefined
  /** The parameter that was wrong. */
  readonly param: string | undefined
  /** Seconds after which it may be asked again. */
  readonly retryAfter: number | undefined
  /** Whether the same request may go well a little later. */
  readonly retryable: boolean
  /** Further facts, such as the id of a run that goes on after a timeout. */
  readonly details: Readonly<Record<string, unknown>> | undefined

  constructor(code: ErrorCode | (string & {}), message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? {} : { cause: facts.cause })
    this.name = 'GatewayError'
    this.code = code
    this.status = facts.status
    this.param = facts.param
    this.retryAfter = facts.retryAfter
    this.retryable = facts.retryable ?? RETRYABLE.has(code)
    this.details = facts.details
  }
}

/** A budget that is used up is not among them: waiting a moment does not fill it. */
const RETRYABLE: ReadonlySet<string> = new Set(['rate_limited', 'unavailable', 'unreachable', 'connection_lost'])
