/**
 * A refusal in this family's shape, where its own names have to stand in it: `session_key` is nothing a client of this family has
 * ever sent. All other refusals are spelled by the gateway, from the URL alone.
 */
import { isObject } from '@isopod/plugin-api'
import type { Json, JsonObject, Refusal, RefusalCode, RouteEncoded } from '@isopod/plugin-api'

const SPELLING: Readonly<Record<RefusalCode, readonly [error: string, status: number]>> = {
  invalid_request: ['bad_request', 400],
  unauthorized: ['unauthorized', 401],
  forbidden: ['forbidden', 403],
  not_found: ['not_found', 404],
  method_not_found: ['not_found', 404],
  timeout: ['timeout', 408],
  conflict: ['conflict', 409],
  cancelled: ['cancelled', 409],
  payload_too_large: ['payload_too_large', 413],
  rate_limited: ['rate_limited', 429],
  budget_exceeded: ['budget_exceeded', 429],
  internal: ['internal_error', 500],
  unavailable: ['service_unavailable', 503],
}

/** The gateway's names, and what this family calls the same. */
const NAMES: ReadonlyMap<string, string> = new Map([['sessionKey', 'conversation_id'], ['runId', 'run_id']])

export function flatError({ code, message, param, details }: Refusal): JsonObject & { readonly status: number } {
  const [error, status] = SPELLING[code]
  // Details of a refusal are JSON by contract.
  const facts = renamed(details as Json | undefined)
  return { error, message, status, details: { ...(param !== undefined && { param: NAMES.get(param) ?? param }), ...facts } }
}

/** The reply, where a name of the gateway's stands in the refusal; undefined where it can be left to the gateway. */
export function renamedRefusal(refusal: Refusal): RouteEncoded | undefined {
  const { param, details } = refusal
  const isNamed = NAMES.has(param ?? '') || (isObject(details) && Object.keys(details).some((name) => NAMES.has(name)))
  if (!isNamed) return undefined
  const body = flatError(refusal)
  return { status: body.status, body }
}

function renamed(details: Json | undefined): JsonObject {
  if (!isObject(details)) return {}
  return Object.fromEntries(Object.entries(details).map(([name, value]) => [NAMES.get(name) ?? name, value]))
}
