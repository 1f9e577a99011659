/**
 * The native protocol, as far as it is spoken here: its frames are recognized, and whoever sends one is told what to do
 * instead and shown out, so that such a client stops at once and its owner reads why. It calls nothing and greets nobody.
 */
import {
  definePlugin,
  type Decoded,
  type Dialect,
  type Encoded,
  type JsonObject,
  type Refusal,
  type Spoken,
} from '@isopod/plugin-api'

const UNAVAILABLE: Refusal = {
  code: 'unavailable',
  message: 'This gateway does not speak the native protocol: use the subprotocol isopod.v1, or its HTTP API',
  retryable: false,
}

/** The protocol has few codes: what a client can mend itself, and what the gateway cannot do. */
const INVALID: ReadonlySet<string> = new Set(['invalid_request', 'unauthorized', 'method_not_found', 'not_found', 'conflict', 'payload_too_large'])

function decode(frame: JsonObject): Decoded {
  const id = typeof frame['id'] === 'string' ? frame['id'] : null
  return { state: null, wish: { do: 'refuse', id, refusal: UNAVAILABLE, final: true } }
}

function encode(spoken: Spoken): Encoded {
  if (spoken.kind !== 'outcome' || spoken.outcome.ok) return { state: null, frames: [] }
  const { code, message, retryable } = spoken.outcome.refusal
  const error = { code: INVALID.has(code) ? 'INVALID_REQUEST' : 'UNAVAILABLE', message, ...(retryable !== undefined && { retryable }) }
  return { state: null, frames: [{ type: 'res', id: spoken.id, ok: false, error }] }
}

const native: Dialect = {
  name: 'native',
  subprotocols: ['openclaw.v4'],
  openings: [{ types: ['req'] }],
  greet: () => ({ state: null, frames: [] }),
  decode,
  encode,
}

export default definePlugin((gateway) => {
  gateway.hooks.dialects.tap('native', (dialects) => dialects.add(native))
})
