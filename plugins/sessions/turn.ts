/**
 * The two halves of a turn: what the user said, with the run it opens, and what the run made of it. Each is one transaction
 * with everything that belongs to it, and is acknowledged only when it would survive the loss of power.
 */
import { RpcError, type Context, type Message, type StartContext } from '@isopod/plugin-api'
import type { RunStatus } from '../chat/contract.ts'
import type { SessionBegin, SessionBegun, SessionChanged, SessionCommit } from './contract.ts'
import { change, type Change, type SessionRecord } from './record.ts'
import { closed, forgotten, leftOpen, opened, openRun, remembered, RUNS_REMEMBERED, type OpenRun } from './run-record.ts'
import { appended, counted, newest, spoken, type Kept } from './transcript.ts'

type Ending = Omit<SessionCommit, 'status' | 'sessionKey'> & { readonly status: Exclude<RunStatus, 'open'> }

/** Commits the user's turn and the open run. Throws `conflict` where the run has begun already. */
export async function begin(turn: SessionBegin, ctx: Context): Promise<SessionBegun> {
  const { startedAt: boot } = await ctx.gateway()
  const { begun, change: what } = await change(ctx.store, turn.sessionKey, async (found, isAgain) => {
    // The store itself refuses a run that is open already; only then is it worth asking whether that was why.
    const [open, earlier] = await Promise.all([isAgain ? openRun(ctx.store, turn.runId) : undefined, earlierIn(found, turn.history, ctx)])
    if (open) throw new RpcError('conflict', `The run ${turn.runId} has begun already`)
    const record = grown(found ?? fresh(turn, ctx), turn.messages, ctx.now())
    const run = { runId: turn.runId, sessionKey: turn.sessionKey, session: record.id, caller: ctx.caller.id, boot }
    const agentId = turn.agentId ?? record.agentId
    return {
      record: { ...record, agentId },
      beside: [...appended(record, said(turn)), opened(run)],
      answer: { begun: { history: earlier, agentId }, change: found ? 'messages' : 'created' } as const,
    }
  })
  announce(ctx, turn.sessionKey, what)
  return begun
}

/** Commits what a run added and how it ended. Throws `conflict` where it is not open, so that no answer is kept twice. */
export async function commit({ sessionKey, ...ending }: SessionCommit, ctx: Context): Promise<void> {
  // Asked for beside the session, not after it; where the session cannot even be read, nobody comes for the answer.
  const asked = openRun(ctx.store, ending.runId)
  asked.catch(() => {})
  await change(ctx.store, sessionKey, async (found, isAgain) => {
    const open = await (isAgain ? openRun(ctx.store, ending.runId) : asked)
    if (!open || open.sessionKey !== sessionKey) {
      throw new RpcError('conflict', `The run ${ending.runId} is not open in this session`)
    }
    return closing(found, open, ending, ctx.now())
  })
  announce(ctx, sessionKey, 'messages')
}

/** Ends the runs that an earlier process left open, so that the conversation says what became of them. */
export async function interruptLeftOpen(ctx: StartContext): Promise<void> {
  const { startedAt: boot } = await ctx.gateway()
  let runs = 0
  for await (const open of leftOpen(ctx.store, boot)) {
    const ending: Ending = { runId: open.runId, messages: [], status: 'interrupted' }
    await change(ctx.store, open.sessionKey, (found) => closing(found, open, ending, ctx.now()))
    ctx.log.debug('A run was interrupted when the gateway stopped', { runId: open.runId, sessionKey: open.sessionKey })
    runs += 1
  }
  if (runs === 0) return
  const what = runs === 1 ? '1 run was open when the gateway stopped: it is' : `${runs} runs were open when the gateway stopped: they are`
  ctx.log.warn(`${what} marked interrupted, and what their users said is kept`, { runs })
}

export function announce(ctx: Pick<Context, 'emit'>, sessionKey: string, what: SessionChanged['change']): void {
  ctx.emit('session.changed', { sessionKey, change: what })
}

/**
 * The messages may not grow into a conversation that was emptied or deleted
 * meanwhile: the question is gone, so is the answer.
 */
function closing(found: SessionRecord | undefined, open: OpenRun, ending: Ending, now: number): Change<undefined> {
  const { boot: _, ...run } = open
  if (found?.id !== open.session) return { record: 'untouched', beside: [closed(run.runId)], answer: undefined }
  const added = marked(ending)
  const record = grown(found, added, now)
  const runs = [...found.runs, run.runId]
  const { status, usage, error } = ending
  const kept = { ...run, status, first: found.entries + 1, last: record.entries, ...(usage && { usage }), ...(error && { error }) }
  return {
    record: { ...record, runs: runs.slice(-RUNS_REMEMBERED) },
    beside: [...appended(found, added), closed(run.runId), remembered(kept), ...forgotten(runs.slice(0, -RUNS_REMEMBERED))],
    answer: undefined,
  }
}

async function earlierIn(found: SessionRecord | undefined, limit: number, ctx: Context): Promise<Message[]> {
  if (!found || limit === 0) return []
  return spoken(await newest(ctx.store, found.id, { before: found.entries + 1, limit }))
}

function fresh({ sessionKey, channel = 'api' }: SessionBegin, ctx: Context): SessionRecord {
  const now = ctx.now()
  return { id: ctx.id(), sessionKey, agentId: 'default', channel, createdAt: now, updatedAt: now, messageCount: 0, entries: 0, runs: [] }
}

function grown(record: SessionRecord, messages: readonly Message[], now: number): SessionRecord {
  const messageCount = record.messageCount + counted(messages)
  return { ...record, updatedAt: now, messageCount, entries: record.entries + messages.length }
}

/** The metadata is kept beside the last of the user's messages, the one that was just sent. */
function said({ messages, runId, metadata }: SessionBegin): Kept[] {
  const last = messages.findLastIndex(({ role }) => role === 'user')
  return messages.map((message, index) => ({ ...message, runId, ...(metadata && index === last && { metadata }) }))
}

/** What the run added, the last of it marked with how it ended where it did not end well. */
function marked({ messages, runId, status }: Ending): Kept[] {
  const kept: Kept[] = messages.map((message) => ({ ...message, runId }))
  if (status === 'done') return kept
  const last = kept.pop() ?? { role: 'assistant', parts: [], runId }
  return [...kept, { ...last, status }]
}
