/** `GET /api/v1/logs`: a page of the log, or, for a client that accepts a stream of events, each line as it is written. */
import type { GatewayEvent, JsonObject, Route, RouteEncoded, RouteRequest, Schema } from '@isopod/plugin-api'
import { wantsEvents } from './field.ts'
import { flatError } from './flat-error.ts'

const COUNTS: readonly string[] = ['limit', 'after', 'before']

const QUERY: Schema = {
  type: 'object',
  properties: {
    level: { type: 'string', description: 'Lines of this level or worse.' },
    plugin: { type: 'string', description: 'Lines of the plugin with this id.' },
    limit: { type: 'integer' },
    after: { type: 'integer', description: 'Lines after the one with this number; the `next` of the page before.' },
    before: { type: 'integer', description: 'The newest lines before the one with this number; not on a stream.' },
  },
}

const REPLY: Schema = {
  type: 'object',
  required: ['entries', 'next'],
  properties: { entries: { type: 'array', items: { type: 'object' } }, next: { type: 'integer' } },
}

export const logRoute: Route = {
  verb: 'GET',
  path: '/api/v1/logs',
  call: '*',
  describe: { summary: 'Reads or follows the log', query: QUERY, reply: REPLY, streams: 'accepted' },
  decode(request) {
    const follows = wantsEvents(request.headers)
    return { method: follows ? 'log.follow' : 'log.read', params: paramsOf(request, follows), stream: follows }
  },
  /** The state is whether a frame has been sent. */
  encode(what, isBegun): RouteEncoded | undefined {
    if (what.kind === 'event') return heard(what.event)
    if (isBegun !== true) return undefined
    if (!what.outcome.ok) return { frames: [{ event: 'error', data: flatError(what.outcome.refusal) }] }
    // What `log.follow` answers is JSON, by its own schema.
    return { frames: [{ event: 'end', data: what.outcome.value as JsonObject }] }
  },
}

/** Numbers as numbers; what is none is left for the method's schema to refuse. A client that comes back says where it was. */
function paramsOf({ query, headers }: RouteRequest, follows: boolean): JsonObject {
  const last = headers['last-event-id']
  const given = follows && last !== undefined ? { ...query, after: last } : query
  const typed = (name: string, text: string) => (COUNTS.includes(name) && /^\d{1,15}$/.test(text) ? Number(text) : text)
  return Object.fromEntries(Object.entries(given).map(([name, text]) => [name, typed(name, text)]))
}

/** The first frame says where following begins, so that a client need not wait for a line to know that it follows. */
function heard({ name, data }: GatewayEvent): RouteEncoded | undefined {
  if (name === 'log.following') return { state: true, frames: [{ event: 'following', data }] }
  if (name !== 'log.line') return undefined
  return { frames: [{ event: 'log', id: String(data['seq']), data }] }
}
