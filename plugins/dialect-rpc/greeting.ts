/** What a socket is told once the gateway knows who it is: its name here, the gateway's version, and what it can ask for. */
import type { Encoded, GreetingFacts, JsonObject } from '@isopod/plugin-api'

/** A socket that came without a credential hears nothing until it has shown one. */
export function greet(facts: GreetingFacts): Encoded {
  return { state: null, frames: facts.authenticated ? [connected(facts)] : [] }
}

export function connected(facts: GreetingFacts): JsonObject {
  return { type: 'connected', data: identity(facts) }
}

export function identity({ clientId, gatewayVersion, capabilities }: GreetingFacts): JsonObject {
  return { clientId, gatewayVersion, capabilities }
}
