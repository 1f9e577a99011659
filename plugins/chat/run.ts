/**
 * A run from its opening to its end, in the order that makes it safe: the user's turn is kept before anyone hears of the
 * run, what became of it is kept before anyone is told. Where nothing that is kept bears on the question, the model is asked
 * meanwhile, and its answer waits. Whatever goes wrong, what was said so far is kept, the run's
 * followers are told, and the caller is refused with the same words.
 */
import { isRpcError, RpcError, type Context, type JsonObject, type Static } from '@isopod/plugin-api'
import type { SessionBegun } from '../sessions/contract.ts'
import { DEFAULT_AGENT } from './agent.ts'
import { Answer } from './answer.ts'
import type { ChatRunResult, ChatStarted } from './contract.ts'
import { tell } from './event.ts'
import { begin, commit, turnOf } from './ledger.ts'
import { converse } from './loop.ts'
import { requestOf, type Request } from './request.ts'
import type { RUN } from './schema.ts'
import { turnFor } from './turn.ts'

type Params = Static<typeof RUN>

/** Runs one turn to its answer. */
export async function run(params: Params, ctx: Context): Promise<ChatRunResult> {
  const sessionKey = params.sessionKey ?? ctx.id()
  const answer = new Answer(() => ctx.id())
  let named: ChatStarted | undefined = ctx.runId === undefined ? undefined : { runId: ctx.runId, sessionKey }
  let keeping: Promise<SessionBegun> | undefined
  try {
    const request = await requestOf({ ...params, sessionKey }, ctx)
    named ??= { runId: await ctx.runs.open({ sessionKey }), sessionKey }
    keeping = beginTurn(request, named, ctx)
    // Heard below in every case, though perhaps not in this turn of the loop.
    keeping.catch(() => {})
    const foreseen = params.sessionKey === undefined ? begunAfresh(request) : undefined
    return await answerTurn(request, named, { keeping, foreseen }, answer, ctx)
  } catch (thrown) {
    const refusal = refusalIn(thrown, ctx.signal)
    const isKept = await keeping?.then(() => true, () => false)
    if (named && isKept) await keepFailure(named, refusal, answer, ctx)
    if (named) tell('chat.error', { ...named, error: wordsOf(refusal) }, ctx)
    throw refusal ?? thrown
  }
}

/** Starts a run that goes on by itself, and answers its name. */
export async function start(params: Params, ctx: Context): Promise<ChatStarted> {
  const sessionKey = params.sessionKey ?? ctx.id()
  const named = { ...params, sessionKey }
  await requestOf(named, ctx)
  // The params came as JSON; only their type has lost its index signature.
  return { runId: await ctx.spawn('chat.run', named as unknown as JsonObject, { sessionKey }, { once: 'chat.started' }), sessionKey }
}

/** Whether a run could begin. Throws as `run` would. */
export async function check(params: Params, ctx: Context): Promise<{ readonly ok: true }> {
  await requestOf({ ...params, sessionKey: params.sessionKey ?? ctx.id() }, ctx)
  return { ok: true }
}

function beginTurn({ choice, channel, messages, history, metadata }: Request, named: ChatStarted, ctx: Context): Promise<SessionBegun> {
  return begin({
    ...named,
    messages: turnOf(messages, history === 0),
    history,
    ...(choice.agentId !== undefined && { agentId: choice.agentId }),
    ...(channel !== undefined && { channel }),
    ...(metadata && { metadata }),
  }, ctx)
}

interface Beginning {
  readonly keeping: Promise<SessionBegun>
  /** What it will come to, where that can be known before. */
  readonly foreseen: SessionBegun | undefined
}

/** A session whose key was made for this run is new: it has no history, and the agent that was asked for. */
function begunAfresh({ choice }: Request): SessionBegun {
  return { history: [], agentId: choice.agentId ?? DEFAULT_AGENT }
}

async function answerTurn(request: Request, named: ChatStarted, { keeping, foreseen }: Beginning, answer: Answer, ctx: Context): Promise<ChatRunResult> {
  const turn = await turnFor(request, named.runId, foreseen ?? (await keeping), ctx)
  const model = request.askedModel ?? turn.models.current
  const opening = keeping.then(() => tell('chat.started', { ...named, model }, ctx))
  opening.catch(() => {})
  const { finishReason, toolCalls } = await converse(turn, answer, opening, ctx)
  ctx.signal.throwIfAborted()
  const { messages, response, usage } = answer
  await commit({ ...named, messages, status: 'done', usage }, ctx)
  tell('chat.done', { ...named, finishReason, usage }, ctx)
  const calls = toolCalls.map(({ id, name, args }) => ({ id, name, args }))
  return { ...named, model: request.askedModel ?? turn.models.current, response, finishReason, toolCalls: calls, usage }
}

/** Keeps what was said. Where even that fails, the run stays open in the store, and the next start calls it interrupted. */
async function keepFailure(named: ChatStarted, refusal: RpcError | undefined, { messages, usage }: Answer, ctx: Context): Promise<void> {
  const status = refusal?.code === 'cancelled' ? 'aborted' : 'failed'
  try {
    await commit({ ...named, messages, status, error: wordsOf(refusal), ...(usage.totalTokens > 0 && { usage }) }, ctx)
  } catch (thrown) {
    ctx.log.error('The end of a run could not be kept', { ...named, status, err: thrown })
  }
}

/** What the caller is refused with: why the run was stopped, or else what went wrong; undefined for a mistake of ours. */
function refusalIn(thrown: unknown, { aborted, reason }: AbortSignal): RpcError | undefined {
  if (aborted) return isRpcError(reason) ? reason : new RpcError('cancelled', 'The run was aborted')
  return isRpcError(thrown) ? thrown : undefined
}

function wordsOf(refusal: RpcError | undefined): { code: string; message: string } {
  return refusal ? { code: refusal.code, message: refusal.message } : { code: 'internal', message: 'Internal error' }
}
