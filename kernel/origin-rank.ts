/** Where a call came from may be lowered on its way through the gateway, never raised. */
import type { Caller, Origin } from '@isopod/plugin-api'

const RANK: Readonly<Record<Origin, number>> = { stranger: 0, agent: 1, automation: 2, owner: 3 }

/** The same caller, coming from no higher than `origin`. */
export function lowered(caller: Caller, origin: Origin): Caller {
  return RANK[origin] < RANK[caller.origin] ? Object.freeze({ ...caller, origin }) : caller
}
