/** `/api/v1/health`, `/api/v1/status` and `/api/v1/channels`: how the gateway is, for who holds its credential. */
import type { JsonObject, Route, Schema } from '@isopod/plugin-api'

const HEALTH: Schema = {
  type: 'object',
  required: ['ok', 'status'],
  properties: { ok: { type: 'boolean' }, status: { type: 'string' }, troubles: { type: 'array', items: { type: 'string' } } },
}

export const stateRoutes: readonly Route[] = [
  {
    verb: 'GET',
    path: '/api/v1/health',
    call: 'system.health',
    describe: { summary: 'Whether the gateway is well', reply: HEALTH, otherReplies: { 503: HEALTH } },
    encode(what) {
      if (what.kind !== 'outcome' || !what.outcome.ok) return undefined
      // `system.health` answers an object, by its own schema. 503 is for watchers that read no body.
      const body = what.outcome.value as JsonObject
      return body['ok'] === true ? undefined : { status: 503, body }
    },
  },
  { verb: 'GET', path: '/api/v1/status', call: 'system.status', describe: { summary: 'What the gateway is' } },
  { verb: 'GET', path: '/api/v1/channels', call: 'channel.list', describe: { summary: 'Lists channels' } },
]
