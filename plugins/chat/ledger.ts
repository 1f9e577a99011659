/**
 * What a run writes down, through the methods of sessions: the user's turn before anyone hears of the run, and what became
 * of it before anyone is told. Both are carried out even if the run is aborted meanwhile, or nobody would know how it ended.
 */
import { isRpcError, type Context, type JsonObject, type Message, type Usage } from '@isopod/plugin-api'
import type { SessionBegin, SessionBegun, SessionCommit, SessionDetail, SessionRun } from '../sessions/contract.ts'

const OUTLIVING = { outliving: true } as const

export async function begin(turn: SessionBegin, ctx: Context): Promise<SessionBegun> {
  return (await ctx.call('session.begin', plain(turn), OUTLIVING)) as unknown as SessionBegun
}

export async function commit(ending: SessionCommit, ctx: Context): Promise<void> {
  await ctx.call('session.commit', plain(ending), OUTLIVING)
}

/** What is kept of a run. Throws `not_found`. */
export async function runKept(runId: string, ctx: Context): Promise<SessionRun> {
  return (await ctx.call('session.run', { runId })) as unknown as SessionRun
}

/** The newest messages of a session; none where it does not exist. */
export async function earlierMessages(sessionKey: string, limit: number, ctx: Context): Promise<Message[]> {
  try {
    const { messages } = (await ctx.call('session.get', { sessionKey, limit })) as unknown as SessionDetail
    return messages.map(({ role, content, parts }) => ({ role, parts: parts ?? [{ type: 'text', text: content }] }))
  } catch (thrown) {
    if (isRpcError(thrown) && thrown.code === 'not_found') return []
    throw thrown
  }
}

/**
 * Which of a request's messages are the user's turn. Instructions belong to the request and are not kept; where the client
 * keeps the conversation itself, all up to the last answer has been said before.
 */
export function turnOf(messages: readonly Message[], isWhole: boolean): Message[] {
  const since = isWhole ? messages.findLastIndex(({ role }) => role === 'assistant') + 1 : 0
  return messages.slice(since).filter(({ role }) => role !== 'system')
}

/** The sum of two counts. */
export function together(one: Usage, other: Usage): Usage {
  return {
    promptTokens: one.promptTokens + other.promptTokens,
    completionTokens: one.completionTokens + other.completionTokens,
    totalTokens: one.totalTokens + other.totalTokens,
  }
}

/** The contracts are JSON by construction; an interface has no index signature to show it. What methods answer is their contract's. */
function plain(value: object): JsonObject {
  return value as JsonObject
}
