/** What an owner does to a whole session: renames it, hands it to another agent, empties it, deletes it. */
import { RpcError, type Context } from '@isopod/plugin-api'
import type { SessionRow } from './contract.ts'
import { change, noSession, rowOf, streamOf, type Change, type SessionRecord } from './record.ts'
import { forgotten } from './run-record.ts'
import { announce } from './turn.ts'

export interface Patch {
  readonly sessionKey: string
  /** An empty one takes the title away. */
  readonly title?: string
  readonly agentId?: string
}

/** Answers the row as it is afterwards. */
export async function patch({ sessionKey, title, agentId }: Patch, ctx: Context): Promise<SessionRow> {
  if (title === undefined && agentId === undefined) throw new RpcError('invalid_request', 'Say what to change: title or agentId')
  const row = await edit(ctx, sessionKey, (found) => {
    const { title: before, ...rest } = found
    const named = title ?? before ?? ''
    const record = { ...rest, agentId: agentId ?? found.agentId, ...(named !== '' && { title: named }) }
    return { record, beside: [], answer: rowOf(record) }
  })
  announce(ctx, sessionKey, 'patched')
  return row
}

/** Takes the messages away and keeps the row. What runs in it now finds nowhere to write its answer. */
export async function reset({ sessionKey }: { readonly sessionKey: string }, ctx: Context): Promise<SessionRow> {
  const row = await edit(ctx, sessionKey, (found) => {
    const record = { ...found, id: ctx.id(), updatedAt: ctx.now(), messageCount: 0, entries: 0, runs: [] }
    return { record, beside: [{ drop: streamOf(found.id) }, ...forgotten(found.runs)], answer: rowOf(record) }
  })
  announce(ctx, sessionKey, 'reset')
  return row
}

/** Takes the session away with its messages and runs. */
export async function remove({ sessionKey }: { readonly sessionKey: string }, ctx: Context): Promise<{ readonly ok: true }> {
  const done = await edit(ctx, sessionKey, (found) => ({
    record: 'removed',
    beside: [{ drop: streamOf(found.id) }, ...forgotten(found.runs)],
    answer: { ok: true } as const,
  }))
  announce(ctx, sessionKey, 'deleted')
  return done
}

function edit<Answer>(ctx: Context, sessionKey: string, plan: (found: SessionRecord) => Change<Answer>): Promise<Answer> {
  return change(ctx.store, sessionKey, (found) => {
    if (!found) throw noSession(sessionKey)
    return plan(found)
  })
}
