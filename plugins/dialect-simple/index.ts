/**
 * The simple dialect: a client shows its token in its first frame, asks in whichever of the two documented spellings it knows,
 * and reads one kind of answer. It is what a script of ten lines speaks; a run's progress has no word here.
 */
import { definePlugin, type Dialect, type Encoded, type GreetingFacts } from '@isopod/plugin-api'
import { decode } from './request.ts'
import { encode } from './reply.ts'

/**
 * A socket is one conversation unless a request names another. Its key is the whole state: settled when the socket opens,
 * never changed. Nothing is said before the credential; a socket that brought one is greeted by others.
 */
function greet({ clientId }: GreetingFacts): Encoded {
  return { state: `ws:${clientId}`, frames: [] }
}

/** The subprotocol is for clients whose upgrade carried the credential, so that there is no first frame to know them by. */
const simple: Dialect = { name: 'simple', subprotocols: ['isopod.simple.v1'], openings: [{ types: ['auth'] }], greet, decode, encode }

export default definePlugin((gateway) => {
  gateway.hooks.dialects.tap('simple', (dialects) => dialects.add(simple))
})
