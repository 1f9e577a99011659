/**
 * An error as this dialect spells it: the refusal's name in upper case, two of them by names that clients test for, and its
 * sentence. A missing credential has a name and a sentence of its own here.
 */
import type { Json, JsonObject, Refusal, RefusalCode } from '@isopod/plugin-api'

const NAMES: Readonly<Partial<Record<RefusalCode, string>>> = {
  unauthorized: 'AUTH_REQUIRED',
  internal: 'INTERNAL_ERROR',
  unavailable: 'SERVICE_UNAVAILABLE',
}

/** Without a credential the gateway says no more than that; a sentence that says more is left as it is. */
const BARE = 'Unauthorized'
const AUTH_REQUIRED = 'Authentication required for this operation'

export function errorPayload({ code, message, retryAfterSeconds, details, ...facts }: Refusal): JsonObject {
  return {
    code: NAMES[code] ?? code.toUpperCase(),
    message: code === 'unauthorized' && message === BARE ? AUTH_REQUIRED : message,
    ...facts,
    ...(retryAfterSeconds !== undefined && { retryAfterMs: Math.ceil(retryAfterSeconds * 1000) }),
    // Details of a refusal are JSON by contract.
    ...(details !== undefined && { details: details as Json }),
  }
}
