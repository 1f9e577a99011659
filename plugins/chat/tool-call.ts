/**
 * One call of a tool in three steps: prepare, execute, finalize. A tool that does not exist, arguments that make no sense, a
 * refusal: all of them are results which the model is told, so that it can do better. Only an abort ends the run.
 */
import { isRpcError, type Context, type Json, type JsonObject } from '@isopod/plugin-api'
import type { ToolInvoked } from '../tools/contract.ts'
import type { Answer } from './answer.ts'
import { tell } from './event.ts'
import type { ToolCall } from './pairing.ts'
import { untilAborted } from './stopping.ts'
import type { Turn } from './turn.ts'

/** Results in JSON text; a longer one is cut. 256 KiB are some 60,000 tokens, more than most models hold beside the rest. */
const RESULT_LENGTH = 256 * 1024
/** Calls of one round that run at the same time. */
const ABREAST = 4
/** Calls of one round that are carried out at all. */
const CALLS_PER_ROUND = 64

type Prepared =
  | { readonly kind: 'prepared'; readonly params: JsonObject }
  | { readonly kind: 'immediate'; readonly outcome: Outcome }

/** A run on its way. */
interface Going {
  readonly turn: Turn
  readonly answer: Answer
}

interface Outcome {
  readonly result: Json
  readonly isError: boolean
}

/**
 * Runs the calls of a round, a few at a time. `offered` are the names that the model was shown. Rejects when the run is
 * aborted, at once and after the last event: a tool that does not heed the signal is not waited for.
 */
export async function runCalls(calls: readonly ToolCall[], offered: ReadonlySet<string>, { turn, answer }: Going, ctx: Context): Promise<void> {
  const waiting = calls.entries()
  const lane = async () => {
    for (const [index, call] of waiting) {
      ctx.signal.throwIfAborted()
      tell('tool.call', { runId: turn.runId, callId: call.id, tool: call.name, params: call.args }, ctx)
      const prepared = index < CALLS_PER_ROUND ? prepare(call, offered) : immediate(`Only ${CALLS_PER_ROUND} tools may be called at once`)
      const outcome = prepared.kind === 'immediate' ? prepared.outcome : await execute(call, prepared.params, turn, ctx)
      finalize(call, outcome, turn, answer, ctx)
    }
  }
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(ABREAST, calls.length) }, lane))
  const failed = lanes.find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
}

function prepare({ name, args }: ToolCall, offered: ReadonlySet<string>): Prepared {
  if (!offered.has(name)) return immediate(`There is no tool ${name} here`)
  if (typeof args !== 'object' || args === null || Array.isArray(args)) return immediate(`The arguments of ${name} must be a JSON object`)
  // What is neither null nor an array is an object; the types keep arrays in, because they are readonly.
  return { kind: 'prepared', params: args as JsonObject }
}

async function execute({ name }: ToolCall, params: JsonObject, { agent }: Turn, ctx: Context): Promise<Outcome> {
  try {
    const work = ctx.call('tool.invoke', { tool: name, params, agentId: agent.id }, { origin: 'agent' })
    const answered = await untilAborted(work, ctx.signal)
    // What the method answers is its contract's, but that a tool without an answer has none to give.
    return { result: (answered as unknown as Partial<ToolInvoked>).result ?? null, isError: false }
  } catch (thrown) {
    ctx.signal.throwIfAborted()
    if (!isRpcError(thrown)) throw thrown
    return { result: thrown.message, isError: true }
  }
}

function finalize({ id, name }: ToolCall, outcome: Outcome, { runId }: Turn, answer: Answer, ctx: Context): void {
  const result = shortened(outcome.result)
  const failed = outcome.isError && ({ isError: true } as const)
  answer.settle({ type: 'toolResult', id, name, result, ...failed })
  tell('tool.result', { runId, callId: id, tool: name, result, ...failed }, ctx)
}

function immediate(result: string): Prepared {
  return { kind: 'immediate', outcome: { result, isError: true } }
}

/** A result that is too long for a model, as far as it goes and said to be cut. */
function shortened(result: Json): Json {
  const text = JSON.stringify(result)
  if (text.length <= RESULT_LENGTH) return result
  const words = typeof result === 'string' ? result : text
  return `${words.slice(0, RESULT_LENGTH)}\n[cut: the result has ${words.length} characters]`
}
