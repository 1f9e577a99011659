/** What `register` is given: the hooks to tap, and nothing to act with. */
import type { GatewayHooks } from './hooks.ts'

export interface Gateway {
  readonly hooks: GatewayHooks
}
