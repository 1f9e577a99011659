/**
 * Chat: one user turn to one answer, through as many tool rounds as it takes. Everything it does to the world goes through
 * methods: models answer, tools act, sessions remember. Nothing of a run lives here between two calls.
 */
import { definePlugin } from '@isopod/plugin-api'
import { abort, resume } from './resume.ts'
import { check, run, start } from './run.ts'
import { ABORT, HISTORY, RESUME, RUN } from './schema.ts'

/**
 * A run outlasts the client that waits for it. Model and tools have times of their own, rounds are counted; this is for what
 * slips through: a day, the longest that a hook may ask for.
 */
const LONGEST_RUN_MS = 86_400_000

export default definePlugin((gateway) => {
  gateway.hooks.methods.tap('chat', (methods) => {
    methods.add({
      name: 'chat.run',
      description: 'Runs one turn and answers when it is done; its events tell how it goes.',
      scope: 'write',
      params: RUN,
      deadlineMs: LONGEST_RUN_MS,
      handle: run,
    })
    methods.add({ name: 'chat.start', description: 'Starts a run and answers its id.', scope: 'write', params: RUN, handle: start })
    methods.add({
      name: 'chat.check',
      description: 'Refuses what `chat.run` would refuse before it begins, for whoever begins a run and will not see it end.',
      scope: 'write',
      internal: true,
      params: RUN,
      handle: check,
    })
    methods.add({
      name: 'chat.abort',
      description: 'Aborts a run; what it said so far is kept.',
      scope: 'write',
      params: ABORT,
      handle: abort,
    })
    methods.add({
      name: 'chat.resume',
      description: 'Follows a run again after a lost connection.',
      scope: 'read',
      params: RESUME,
      handle: resume,
    })
    methods.add({
      name: 'chat.history',
      description: 'Tells a session with its newest messages.',
      scope: 'read',
      params: HISTORY,
      handle: (params, ctx) => ctx.call('session.get', params),
    })
  })
})
