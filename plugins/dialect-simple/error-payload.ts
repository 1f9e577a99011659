/** An error as this dialect spells it. A missing credential has a name and a sentence of its own here (seed 003). */
import { refusalFrame, type JsonObject, type Refusal } from '@isopod/plugin-api'

/** Without a credential the gateway says no more than that; a sentence that says more is left as it is. */
const BARE = 'Unauthorized'
const AUTH_REQUIRED = 'Authentication required for this operation'

export function errorPayload(refusal: Refusal): JsonObject {
  const spelled = refusalFrame(refusal)
  if (refusal.code !== 'unauthorized') return spelled
  return { ...spelled, code: 'AUTH_REQUIRED', message: refusal.message === BARE ? AUTH_REQUIRED : refusal.message }
}
