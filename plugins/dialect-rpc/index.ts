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
  // A frame with a `type` of its own belongs to a dialect that reads types, though it may carry a method as well.
  // Only `auth` is read here too: it says nothing of what the socket will speak, and nobody else here takes it.
  openings: [{ has: 'method', lacks: ['type'] }, { types: ['auth'], lacks: ['method'] }],
  greet,
  decode,
  encode,
}

export default definePlugin((gateway) => {
  gateway.hooks.dialects.tap('rpc', (dialects) => dialects.add(rpc))
})
