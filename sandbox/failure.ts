/**
 * What plugin code threw, as data that may cross: a refusal as far as its facts are what they should be, anything else as
 * `internal` with the author's own words beside it for the log. What is thrown may be anything at all, so it is read with
 * care and cut to a length.
 */
import { isRpcError, jsonCopy, refusalOf, type Json, type Refusal, type RpcError } from '@isopod/plugin-api'
import type { Bug } from './messages.ts'

/** The longest sentence, and the longest stack, that is told; in characters. */
const LENGTH = 8_192

export interface Failure {
  readonly refusal: Refusal
  readonly bug?: Bug
}

/** Never throws. */
export function failureOf(thrown: unknown): Failure {
  try {
    if (isRpcError(thrown)) return refused(thrown)
    return { refusal: { code: 'internal', message: 'Internal error' }, bug: bugOf(thrown) }
  } catch {
    return { refusal: { code: 'internal', message: 'Internal error' } }
  }
}

/** Never throws. */
export function bugOf(thrown: unknown): Bug {
  try {
    if (!(thrown instanceof Error)) return { name: 'Error', message: cut(thrown) }
    const stack = typeof thrown.stack === 'string' ? { stack: cut(thrown.stack) } : {}
    return { name: cut(thrown.name), message: cut(thrown.message), ...stack }
  } catch {
    return { name: 'Error', message: 'something that cannot be read was thrown' }
  }
}

/** The error a bug was, on the other side: for the log, with the author's own stack. */
export function errorOfBug(bug: Bug): Error {
  const error = new Error(bug.message)
  error.name = bug.name
  error.stack = bug.stack ?? `${bug.name}: ${bug.message}`
  return error
}

function refused(error: RpcError): Failure {
  const { code, message, param, retryable, retryAfterSeconds, details } = refusalOf(error)
  const refusal: Refusal = {
    code,
    message: cut(message),
    ...(typeof param === 'string' && { param: cut(param) }),
    ...(typeof retryable === 'boolean' && { retryable }),
    ...(Number.isFinite(retryAfterSeconds) && { retryAfterSeconds: Math.max(0, retryAfterSeconds ?? 0) }),
    ...factsOf(details),
  }
  return { refusal, ...(error.cause !== undefined && { bug: bugOf(error.cause) }) }
}

/** The details, where they are JSON. A refusal is not lost over its details. */
function factsOf(details: unknown): { readonly details?: Json } {
  if (details === undefined) return {}
  try {
    return { details: jsonCopy(details, 'the details of a refusal', 'held') }
  } catch {
    return {}
  }
}

function cut(text: unknown): string {
  return String(text).slice(0, LENGTH)
}
