/**
 * What must hold between several fields of a config, which one field's schema cannot say. Each rule is a sentence for
 * the owner and the field it is about.
 */
import { isLoopback } from '../auth/address.ts'
import { hostsOf } from '../auth/bind.ts'
import type { Path } from './path.ts'
import type { Config } from './schema.ts'

export interface BrokenRule {
  readonly at: Path
  readonly message: string
}

/** Every rule that `config` breaks. */
export function brokenRules(config: Config): BrokenRule[] {
  return [...openToAll(config), ...nowhereToGo(config)]
}

function openToAll({ gateway }: Config): BrokenRule[] {
  if (gateway.auth.enabled || hostsOf(gateway.bind).every(isLoopback)) return []
  const message = `gateway.auth.enabled is false while gateway.bind is ${gateway.bind}: anyone who reaches this machine could give orders. `
    + 'Turn authentication on, or bind to loopback'
  return [{ at: ['gateway', 'auth', 'enabled'], message }]
}

function nowhereToGo({ models }: Config): BrokenRule[] {
  return Object.entries(models.providers).flatMap(([id, { api, baseUrl }]) => {
    if (api !== 'openai-compatible' || baseUrl !== undefined) return []
    const message = `models.providers.${id}.baseUrl is missing: openai-compatible has no address of its own. `
      + 'Write where it answers, as http://127.0.0.1:11434/v1'
    return [{ at: ['models', 'providers', id, 'baseUrl'], message }]
  })
}
