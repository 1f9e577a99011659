/** Where a call came from may be lowered on its way through the gateway, never raised. */
import { RpcError, type Caller, type Origin } from '@isopod/plugin-api'

const RANK: Readonly<Record<Origin, number>> = { stranger: 0, agent: 1, automation: 2, owner: 3 }

/**
 * The same caller, coming from no higher than `origin`.
 * @throws RpcError `invalid_request` for an origin that is none: it must not pass for the caller's own.
 */
export function lowered(caller: Caller, origin: Origin): Caller {
  if (!Object.hasOwn(RANK, origin)) throw new RpcError('invalid_request', `There is no origin ${JSON.stringify(origin)}`, { param: 'origin' })
  return RANK[origin] < RANK[caller.origin] ? Object.freeze({ ...caller, origin }) : caller
}
