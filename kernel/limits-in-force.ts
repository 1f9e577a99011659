/**
 * Limits as the config has them at the moment they are asked for, so that a change of one forgets no count. Each has a getter of its
 * own: they are asked for with every call.
 */
import type { ConfigSource } from './config/config.ts'
import type { Limits } from './limits.ts'

type Counted = Omit<Limits, 'bodyBytes' | 'timeoutSeconds'>

export function limitsInForce(config: ConfigSource): Counted {
  const limits = () => config.current.gateway.limits
  return {
    get requestsPerMinute() {
      return limits().requestsPerMinute
    },
    get callsPerMinute() {
      return limits().callsPerMinute
    },
    get connections() {
      return limits().connections
    },
    get authFailures() {
      return limits().authFailures
    },
    get authWindowSeconds() {
      return limits().authWindowSeconds
    },
  }
}
