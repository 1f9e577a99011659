/** A refusal inside a body or a frame of this API, where the kernel's family of URLs cannot spell it. */
import type { JsonObject, Refusal, RefusalCode } from '@isopod/plugin-api'

const SPELLING: Readonly<Record<RefusalCode, readonly [code: string, type: string]>> = {
  invalid_request: ['invalid_request', 'invalid_request_error'],
  unauthorized: ['unauthorized', 'authentication_error'],
  forbidden: ['forbidden', 'permission_error'],
  not_found: ['not_found', 'not_found_error'],
  method_not_found: ['not_found', 'not_found_error'],
  conflict: ['conflict', 'invalid_request_error'],
  timeout: ['timeout', 'api_error'],
  rate_limited: ['rate_limited', 'rate_limited'],
  payload_too_large: ['payload_too_large', 'invalid_request_error'],
  internal: ['internal_error', 'api_error'],
  unavailable: ['service_unavailable', 'api_error'],
  cancelled: ['cancelled', 'invalid_request_error'],
  budget_exceeded: ['budget_exceeded', 'rate_limited'],
}

export function errorBody({ code, message, param }: Refusal): JsonObject {
  const [spelled, type] = SPELLING[code]
  return { error: { message, type, code: spelled, ...(param !== undefined && { param }) } }
}
