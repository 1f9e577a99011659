/**
 * Conversations that persist: one session per key, its messages in the order they were committed, and the runs that are
 * open in it. Whoever runs a turn calls `session.begin` before anyone hears of it and `session.commit` before anyone is
 * told that it is done; what lies between the two is lost with the process, and says so.
 */
import { definePlugin, type MethodRegistry } from '@isopod/plugin-api'
import type { SessionBegin, SessionCommit, SessionDetail } from './contract.ts'
import { patch, remove, reset } from './editing.ts'
import { list } from './listing.ts'
import { rowOf, sessionOf } from './record.ts'
import { runOf } from './run-record.ts'
import { BEGIN, COMMIT, GET, LIST, ONE, PATCH, RUN_ID } from './schema.ts'
import { messageOf, newest } from './transcript.ts'
import { begin, commit, interruptLeftOpen } from './turn.ts'

/** Messages of `session.get` unless the caller says (WIRE section 3). */
const MESSAGES = 200

export default definePlugin({
  register(gateway) {
    gateway.hooks.methods.tap('sessions', (methods) => {
      addReading(methods)
      addEditing(methods)
      addTurns(methods)
    })
  },
  start: interruptLeftOpen,
})

function addReading(methods: MethodRegistry): void {
  methods.add({
    name: 'session.list',
    description: 'Lists sessions, newest first; `next` is the `after` of the next page.',
    scope: 'read',
    params: LIST,
    handle: (params, ctx) => list(ctx.store, params),
  })
  methods.add({
    name: 'session.get',
    description: 'Tells a session with its newest messages, oldest first.',
    scope: 'read',
    params: GET,
    async handle({ sessionKey, limit = MESSAGES, before }, ctx): Promise<SessionDetail> {
      const record = await sessionOf(ctx.store, sessionKey)
      const entries = await newest(ctx.store, record.id, { limit, before: before === undefined ? record.entries + 1 : Number(before) })
      return { ...rowOf(record), messages: entries.map(messageOf) }
    },
  })
}

function addEditing(methods: MethodRegistry): void {
  methods.add({ name: 'session.patch', description: 'Changes a session\'s title or agent.', scope: 'write', params: PATCH, handle: patch })
  methods.add({ name: 'session.reset', description: 'Empties a session and keeps its row.', scope: 'write', params: ONE, handle: reset })
  methods.add({ name: 'session.delete', description: 'Deletes a session with all its messages.', scope: 'write', params: ONE, handle: remove })
}

function addTurns(methods: MethodRegistry): void {
  methods.add({
    name: 'session.begin',
    description: 'Commits the user\'s turn and the open run.',
    scope: 'write',
    internal: true,
    params: BEGIN,
    // The schema leaves the parts of a message open, which the contract does not.
    handle: (params, ctx) => begin(params as SessionBegin, ctx),
  })
  methods.add({
    name: 'session.commit',
    description: 'Commits what a run added and how it ended.',
    scope: 'write',
    internal: true,
    params: COMMIT,
    // As above.
    handle: (params, ctx) => commit(params as SessionCommit, ctx),
  })
  methods.add({
    name: 'session.run',
    description: 'Tells what is kept of a run.',
    scope: 'read',
    internal: true,
    params: RUN_ID,
    async handle({ runId }, ctx) {
      const { startedAt: boot } = await ctx.gateway()
      return runOf(ctx.store, { runId, caller: ctx.caller, boot })
    },
  })
}
