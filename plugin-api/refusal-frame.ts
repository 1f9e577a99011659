/**
 * A refusal as the documents' WebSocket frames carry it: its name in upper case (seed 000), its sentence, and its facts. For dialects
 * that have no spelling of their own.
 */
import type { Refusal } from './error.ts'
import type { Json, JsonObject } from './json.ts'

/** Two by names that clients of the documents already test for; the others are the canonical ones. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['internal', 'INTERNAL_ERROR'],
  ['unavailable', 'SERVICE_UNAVAILABLE'],
])

/** The name of a canonical code in upper case. */
export function upperCase(code: string): string {
  return NAMES.get(code) ?? code.toUpperCase()
}

/** `{code, message, param?, retryable?, retryAfterMs?, details?}` */
export function refusalFrame({ code, message, retryAfterSeconds, details, ...facts }: Refusal): JsonObject {
  return {
    code: upperCase(code),
    message,
    ...facts,
    ...(retryAfterSeconds !== undefined && { retryAfterMs: Math.ceil(retryAfterSeconds * 1000) }),
    // Details of a refusal are JSON by contract.
    ...(details !== undefined && { details: details as Json }),
  }
}
