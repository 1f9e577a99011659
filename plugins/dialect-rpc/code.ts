/** How this dialect spells each refusal: upper case, and two by names that clients of the documents already test for. */
import type { RefusalCode } from '@isopod/plugin-api'

const CODES: Readonly<Record<RefusalCode, string>> = {
  invalid_request: 'INVALID_REQUEST',
  unauthorized: 'UNAUTHORIZED',
  forbidden: 'FORBIDDEN',
  not_found: 'NOT_FOUND',
  method_not_found: 'METHOD_NOT_FOUND',
  conflict: 'CONFLICT',
  timeout: 'TIMEOUT',
  rate_limited: 'RATE_LIMITED',
  payload_too_large: 'PAYLOAD_TOO_LARGE',
  internal: 'INTERNAL_ERROR',
  unavailable: 'SERVICE_UNAVAILABLE',
  cancelled: 'CANCELLED',
  budget_exceeded: 'BUDGET_EXCEEDED',
}

const BY_NAME: ReadonlyMap<string, string> = new Map(Object.entries(CODES))

/** The spelling of a canonical code; a name that is none of them stays as it is. */
export function codeOf(code: string): string {
  return BY_NAME.get(code) ?? code
}
