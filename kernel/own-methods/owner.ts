/** What is the owner's alone. A call that goes back to the agent, a stranger or a timer could raise itself by it. */
import { RpcError, type Caller } from '@isopod/plugin-api'

/** @throws RpcError `forbidden` where the call is not the owner's own. */
export function mustBeOwner({ origin }: Caller, what: string): void {
  if (origin !== 'owner') throw new RpcError('forbidden', `Only the owner may ${what}: this call goes back to ${WHOSE[origin]}`)
}

const WHOSE = { agent: 'the agent', stranger: 'a stranger', automation: 'a timer or webhook' } as const
