/** The gateway's log, for who may read all of it: a page at a time, or line by line as it is written. */
import { RpcError, type JsonObject, type MethodRegistry } from '@isopod/plugin-api'
import { CallContext } from '../call-context.ts'
import { LEVELS, type LogQuery } from '../log.ts'
import { lineOf } from '../log-followers.ts'
import { LINES_KEPT } from '../log/ring.ts'
import type { OwnParts } from './parts.ts'

const seq = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const

const WHICH = {
  level: { enum: LEVELS, description: 'Lines of this level or worse.' },
  plugin: { type: 'string', minLength: 1, maxLength: 64, description: 'Lines of the plugin with this id.' },
  after: { ...seq, description: 'Lines after the one with this number, oldest first.' },
} as const

const READ = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...WHICH,
    before: { ...seq, description: 'Lines before the one with this number; the newest of them.' },
    limit: { type: 'integer', minimum: 1, maximum: LINES_KEPT, description: 'How many lines; 100 unless said.' },
  },
} as const

const FOLLOW = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...WHICH,
    limit: { type: 'integer', minimum: 0, maximum: LINES_KEPT, description: 'How many of the newest lines come first; none unless said.' },
  },
} as const

const ENTRY = {
  type: 'object',
  required: ['seq', 'time', 'level', 'message'],
  properties: {
    seq: { type: 'integer' },
    time: { type: 'string' },
    level: { enum: LEVELS },
    plugin: { type: 'string' },
    message: { type: 'string' },
  },
} as const

export function addLog(methods: MethodRegistry, { log, followers }: OwnParts): void {
  methods.add({
    name: 'log.read',
    description: 'A page of the log, oldest line first, from before the last start too. `next` is what to give as `after` to go on.',
    scope: 'admin',
    params: READ,
    result: {
      type: 'object',
      required: ['entries', 'next'],
      properties: { entries: { type: 'array', items: ENTRY }, next: { type: 'integer' } },
    },
    handle: async (query): Promise<JsonObject> => {
      const { entries, next } = await log.read(asked(query))
      return { entries: entries.map(lineOf), next }
    },
  })
  methods.add({
    name: 'log.follow',
    description:
      'Tells lines of the log to this call\'s client as `log.line` events, after a `log.following` that says where it begins, until the client goes. ' +
      'Answers only when plugins are replaced or the gateway stops: `next` is what to give as `after` to go on.',
    scope: 'admin',
    // It ends with its client.
    deadlineMs: 0,
    params: FOLLOW,
    result: { type: 'object', required: ['next'], properties: { next: { type: 'integer' } } },
    handle: async (query, ctx): Promise<JsonObject> => {
      const ear = CallContext.earOf(ctx)
      if (!ear) {
        throw new RpcError('invalid_request', 'The log is followed on a WebSocket or an event stream; `log.read` answers a page of it')
      }
      return { next: await followers.follow(ear, asked(query), ctx) }
    },
  })
}

/** The fields that were given. */
function asked({ level, plugin, after, before, limit }: { readonly [Name in keyof LogQuery]?: LogQuery[Name] | undefined }): LogQuery {
  return Object.fromEntries(Object.entries({ level, plugin, after, before, limit }).filter(([, value]) => value !== undefined))
}
