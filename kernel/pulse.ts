/**
 * The gateway's pulse: an event every half minute that says it lives and whether anything troubles it, so that a client which
 * only listens can tell a quiet gateway from a dead connection. Who hears it is the business of those who admit callers.
 */
import type { GatewayFacts } from '@isopod/plugin-api'
import type { Clock } from './clock.ts'
import type { Events } from './events.ts'
import { PULSE_MS } from './limits.ts'

export const HEARTBEAT = 'heartbeat'

export interface PulseParts {
  readonly clock: Clock
  readonly events: Events
  readonly facts: () => Pick<GatewayFacts, 'troubles'>
}

/** Begins to beat; answers what stops it. */
export function beat({ clock, events, facts }: PulseParts): () => void {
  return clock.every(PULSE_MS, () => {
    const status = facts().troubles.length === 0 ? 'ok' : 'degraded'
    events.tell(HEARTBEAT, { timestamp: clock.now(), status })
  })
}
