/**
 * What plugin code threw, as data that may cross: a refusal as it is, anything else as `internal` with the author's own words
 * beside it for the log. What is thrown may be anything at all, so it is read with care and cut to a length.
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
    if (!(thrown instanceof Error)) return { name: 'Error', message: cut(String(thrown)) }
    const stack = typeof thrown.stack === 'string' ? { stack: cut(thrown.stack) } : {}
    return { name: cut(String(thrown.name)), message: cut(String(thrown.message)), ...stack }
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
  const { details, ...refusal } = refusalOf(error)
  const cause = error.cause === undefined ? {} : { bug: bugOf(error.cause) }
  return { refusal: { ...refusal, message: cut(String(refusal.message)), ...facts(details) }, ...cause }
}

/** The details, where they are what they should be. A refusal is not lost over its details. */
function facts(details: unknown): { readonly details?: Json } {
  if (details === undefined) return {}
  try {
    return { details: jsonCopy(details, 'the details of a refusal', 'held') }
  } catch {
    return {}
  }
}

function cut(text: string): string {
  return text.slice(0, LENGTH)
}
