/** The few things every call needs of the kernel. Made once, by the composition root; tests make their own. */
import type { GatewayFacts, Log } from '@isopod/plugin-api'
import type { Clock } from './clock.ts'
import type { Events } from './events.ts'
import type { Generation } from './generation.ts'
import type { Stalls } from './stall.ts'

export interface Core {
  readonly clock: Clock
  readonly log: Log
  readonly events: Events
  /** What the gateway is now. A call asks once, when it begins. */
  current(): Generation
  /** How long a call may take where its method does not say, in milliseconds; 0 is no deadline. */
  deadlineMs(): number
  /** The gateway is going away: what comes from outside is refused, what is under way may finish. */
  closing(): boolean
  /** Counts a call that came at `at` against a credential. Answers the seconds to wait where it has had its share. */
  overRate(callerId: string, at: number): number | undefined
  facts(): GatewayFacts
  readonly stalls: Stalls
}
