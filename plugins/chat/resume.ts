/** Runs seen from outside: stopping one, and coming back to one after the socket was lost. */
import { isRpcError, type Context, type RunState } from '@isopod/plugin-api'
import type { ChatAborted, ChatResumed } from './contract.ts'
import type { SessionRun } from '../sessions/contract.ts'
import { runKept } from './ledger.ts'

/** Aborts a run. One that is over is not aborted, and that is no mistake; one nobody knows is `not_found`. */
export async function abort({ runId }: { readonly runId: string }, ctx: Context): Promise<ChatAborted> {
  const aborted = await unlessGone(ctx.runs.abort(runId))
  if (aborted === undefined) await runKept(runId, ctx)
  return { ok: true, aborted: aborted ?? false }
}

/** Lets the caller's client hear the run's events after `after`, or tells what is left of a run whose events are gone. */
export async function resume({ runId, after = 0 }: { runId: string; after?: number }, ctx: Context): Promise<ChatResumed> {
  const state = await unlessGone(ctx.runs.follow(runId, after))
  if (!state) return { ...whatIsLeft(await runKept(runId, ctx)), firstSeq: 0, lastSeq: 0, events: false }
  const heard = { firstSeq: state.firstSeq, lastSeq: state.lastSeq, events: true }
  if (state.open) return { runId, sessionKey: sessionIn(state), status: 'open', ...heard }
  const kept = await unlessGone(runKept(runId, ctx))
  // A run that failed before its turn was kept has left its events and nothing else.
  return kept ? { ...whatIsLeft(kept), ...heard } : { runId, sessionKey: sessionIn(state), status: 'failed', ...heard }
}

/** A run that is over and still open in the store is one whose end could not be written. */
function whatIsLeft({ runId, sessionKey, status, response, usage, error }: SessionRun): Omit<ChatResumed, 'firstSeq' | 'lastSeq' | 'events'> {
  const ended = status === 'open' ? 'interrupted' : status
  return { runId, sessionKey, status: ended, response, ...(usage && { usage }), ...(error && { error }) }
}

/** Chat opens its runs with the session's key. */
function sessionIn({ about }: RunState): string {
  const { sessionKey } = about
  return typeof sessionKey === 'string' ? sessionKey : ''
}

async function unlessGone<Value>(work: Promise<Value>): Promise<Value | undefined> {
  try {
    return await work
  } catch (thrown) {
    if (isRpcError(thrown) && thrown.code === 'not_found') return undefined
    throw thrown
  }
}
