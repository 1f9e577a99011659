/**
 * Who is asking. A caller is made by the kernel from the credential it was shown, never from what the client says of
 * itself, and does not change while a call lasts.
 */

/** What a credential may do. `approve` is for a person at a keyboard: a token in an agent's hands never has it. */
export const SCOPES = ['read', 'write', 'admin', 'approve'] as const

export type Scope = (typeof SCOPES)[number]

/**
 * Where a call came from, which decides how much a tool may do for it: the owner at a client, the agent's own tool
 * calls, somebody on a channel whom the owner does not vouch for, or a timer or webhook.
 */
export type Origin = 'owner' | 'agent' | 'stranger' | 'automation'

export interface Caller {
  /** Stable for a credential: `token:<id>`, `password`, `plugin:<id>`, `public`. Runs and limits are kept by it. */
  readonly id: string
  readonly scopes: readonly Scope[]
  readonly origin: Origin
  /** The client's address, where there is one. */
  readonly address?: string
}
