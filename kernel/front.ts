/** What the HTTP side and the WebSocket side both need to let somebody in. Each answer is the one of the config in force. */
import type { Authenticator } from './auth/authenticate.ts'
import type { Names } from './auth/origin.ts'
import type { Throttle } from './auth/throttle.ts'
import type { Core } from './core.ts'
import type { Limits } from './limits.ts'

export interface Front {
  readonly core: Core
  readonly version: string
  auth(): Authenticator
  names(): Names
  throttle(): Throttle
  limits(): Limits
  /** The names of dialects in the order in which their openings are tried; the others follow in the order of their names. */
  dialects(): readonly string[]
}
