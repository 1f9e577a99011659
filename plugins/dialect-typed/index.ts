/**
 * The typed dialect: every message is a `type` with a `payload`, and what comes back carries the time. It has four messages in
 * and six out, and whatever else the gateway can do has no word here; what the messages mean is the methods' business.
 */
import { definePlugin, type Dialect, type Encoded, type GreetingFacts } from '@isopod/plugin-api'
import { decode, TYPES } from './request.ts'
import { encode } from './reply.ts'

/**
 * A chat names no session, so a socket is one conversation. Its key is the whole state: settled when the socket opens, never
 * changed, and all that is remembered between two frames.
 */
function greet({ clientId }: GreetingFacts): Encoded {
  return { state: `ws:${clientId}`, frames: [] }
}

const typed: Dialect = { name: 'typed', openings: [{ types: TYPES, lacks: ['method'] }], greet, decode, encode }

export default definePlugin((gateway) => {
  gateway.hooks.dialects.tap('typed', (dialects) => dialects.add(typed))
})
