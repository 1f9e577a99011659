/**
 * The agent loop: ask the model, run the tools it calls, tell it the results, until it has nothing more to call. It knows
 * neither sessions nor clients; what it has brought forth stands in the answer at every moment.
 */
import { RpcError, type Context, type FinishReason, type Message, type ModelPart, type ModelRequest } from '@isopod/plugin-api'
import type { Answer } from './answer.ts'
import { tell } from './event.ts'
import { paired, type ToolCall } from './pairing.ts'
import { runCalls } from './tool-call.ts'
import type { Turn } from './turn.ts'
import { guarded } from './untrusted.ts'

export interface Finish {
  readonly finishReason: FinishReason
  /** Calls that the client is to carry out. */
  readonly toolCalls: readonly ToolCall[]
}

/**
 * Tells nothing before `opening` has resolved, and asks the model at once. Throws what `opening` rejects with, the model's
 * refusal, `budget_exceeded` after too many rounds, or what the run was aborted with.
 */
export async function converse(turn: Turn, answer: Answer, opening: Promise<void>, ctx: Context): Promise<Finish> {
  const { maxRounds, id } = turn.agent
  for (let round = 1; ; round += 1) {
    const offered = new Set<string>()
    const reason = await askModel(turn, answer, { isFirst: round === 1, offered, opening }, ctx)
    const { own, clients } = sorted(answer.calls, turn)
    if (own.length > 0 && round === maxRounds) throw tooManyRounds(maxRounds, id)
    if (own.length > 0) await runCalls(own, offered, { turn, answer }, ctx)
    if (clients.length > 0) return handOver(clients, turn, ctx)
    if (own.length === 0) return { finishReason: reason === 'tool_calls' ? 'stop' : reason, toolCalls: [] }
  }
}

interface Round {
  readonly isFirst: boolean
  /** The names of the tools that were offered in the end: filled in when the model is asked. */
  readonly offered: Set<string>
  readonly opening: Promise<void>
}

/** One request to the model. */
async function askModel(turn: Turn, answer: Answer, { isFirst, offered, opening }: Round, ctx: Context): Promise<FinishReason> {
  answer.beginRound()
  const messages = paired([...turn.prompt, ...answer.messages])
  let isOver = false
  opening.catch(() => (isOver = true))
  const shape = async (model: string) => {
    const request = await shapedRequest(turn, { model, messages, isFirst }, ctx)
    // What is under way ends with the run; a request that begins after its end would have nobody to end it.
    if (isOver) await opening
    offered.clear()
    for (const { name } of request.tools ?? []) offered.add(name)
    return request
  }
  for await (const part of after(opening, turn.models.stream(shape, ctx))) {
    hear(part, turn, answer, ctx)
    if (part.type === 'finish') return part.reason
  }
  ctx.signal.throwIfAborted()
  throw new RpcError('unavailable', `The answer of ${turn.models.current} broke off`, { retryable: true })
}

/**
 * The parts, begun at once and given on when the promise has resolved. Where it
 * rejects nobody waits for them: they end with the run.
 */
function after<Part>(opening: Promise<void>, parts: AsyncGenerator<Part>): AsyncIterable<Part> {
  const first = parts.next()
  const opened = opening.then(() => first)
  first.catch(() => {})
  let isFirst = true
  const next = (): Promise<IteratorResult<Part>> => {
    if (!isFirst) return parts.next()
    isFirst = false
    return opened
  }
  return { [Symbol.asyncIterator]: () => ({ next, return: () => parts.return(undefined) }) }
}

interface Draft {
  readonly model: string
  readonly messages: readonly Message[]
  readonly isFirst: boolean
}

/** What the model is sent, after everyone who taps `promptShaping` has had a say. Throws `forbidden` where one refuses. */
async function shapedRequest(turn: Turn, { model, messages, isFirst }: Draft, ctx: Context): Promise<Omit<ModelRequest, 'model'>> {
  const { sessionKey, agent, toolbox, sampling, toolChoice } = turn
  const verdict = await ctx.ask('promptShaping', { sessionKey, agentId: agent.id, model, messages, tools: toolbox.offered })
  if ('refused' in verdict) throw new RpcError('forbidden', verdict.refused, { details: { by: verdict.by } })
  const { messages: told, tools } = verdict.subject
  // A tool that must be used has been used after the first round; forced again, the model could never come to an end.
  const choice = isFirst || toolChoice === 'none' ? toolChoice : 'auto'
  return { messages: told.map(guarded), sampling, ...(tools.length > 0 && { tools, toolChoice: choice }) }
}

function hear(part: ModelPart, { runId, sessionKey, streams }: Turn, answer: Answer, ctx: Context): void {
  if (part.type === 'finish') answer.count(part.usage)
  else if (part.type === 'toolCall') answer.ask(part)
  else if (part.text === '') return
  else if (part.type === 'text') {
    const delta = answer.say(part.text)
    if (streams) tell('chat.delta', { runId, sessionKey, delta }, ctx)
  } else {
    answer.think(part.text)
    if (streams) tell('chat.thinking', { runId, sessionKey, delta: part.text }, ctx)
  }
}

/** The run ends here: the client carries these out and comes back with the results. */
function handOver(calls: readonly ToolCall[], { runId }: Turn, ctx: Context): Finish {
  for (const { id, name, args } of calls) tell('tool.call', { runId, callId: id, tool: name, params: args, client: true }, ctx)
  return { finishReason: 'tool_calls', toolCalls: calls }
}

function sorted(calls: readonly ToolCall[], { toolbox }: Turn): Readonly<Record<'own' | 'clients', readonly ToolCall[]>> {
  const { own = [], clients = [] } = Object.groupBy(calls, ({ name }) => (toolbox.isClients(name) ? 'clients' : 'own'))
  return { own, clients }
}

function tooManyRounds(maxRounds: number, agentId: string): RpcError {
  const message = `The agent ${agentId} still called tools after ${maxRounds} rounds; ask for less, or raise agents.${agentId}.maxRounds`
  return new RpcError('budget_exceeded', message, { retryable: false })
}
