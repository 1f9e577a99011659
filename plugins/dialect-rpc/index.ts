/**
 * The rpc dialect: one JSON object per frame, a method by its name, a reply under the request's id. It is the plainest
 * spelling the WebSocket has, and the one that plain clients speak; what the methods mean is not known here.
 */
import { definePlugin, type Dialect } from '@isopod/plugin-api'
import { greet } from './greeting.ts'
import { decode } from './request.ts'
import { encode } from './reply.ts'

/** Pure: nothing is remembered between two frames, so its state is always null. */
const rpc: Dialect = {
  name: 'rpc',
  subprotocols: ['isopod.v1'],
  // A method is the mark of this dialect; only requests of the native protocol and a credential as a frame carry one beside a
  // `type` that says more (WIRE section 2).
  openings: [{ has: 'method', otherThan: ['req', 'auth'] }],
  greet,
  decode,
  encode,
}

export default definePlugin((gateway) => {
  gateway.hooks.dialects.tap('rpc', (dialects) => dialects.add(rpc))
})
