/** One user turn on its way to an answer: everything that stays the same from the first round to the last. */
import type { Context, Message, Sampling, ToolChoice } from '@isopod/plugin-api'
import type { SessionBegun } from '../sessions/contract.ts'
import { agentOf, type Agent } from './agent.ts'
import { chainFor, type ModelChain } from './model-chain.ts'
import type { Request } from './request.ts'
import { toolboxFor, type Toolbox } from './toolbox.ts'

export interface Turn {
  readonly runId: string
  readonly sessionKey: string
  readonly agent: Agent
  readonly models: ModelChain
  readonly toolbox: Toolbox
  /** What stands before the answer. */
  readonly prompt: readonly Message[]
  readonly sampling: Sampling
  readonly toolChoice: ToolChoice
  readonly streams: boolean
}

export async function turnFor(request: Request, runId: string, { agentId, history }: SessionBegun, ctx: Context): Promise<Turn> {
  const { sessionKey, choice, sampling, toolChoice, streams } = request
  const agent = agentOf(agentId, ctx)
  const [models, toolbox] = await Promise.all([chainFor(agent, choice.model, ctx), toolboxFor(agent, request, ctx)])
  const prompt = promptOf(agent, history, request.messages)
  return { runId, sessionKey, agent, models, toolbox, prompt, sampling, toolChoice, streams }
}

/** Instructions first, the agent's before the request's; then what was said before, then what is said now. */
function promptOf({ system }: Agent, history: readonly Message[], given: readonly Message[]): Message[] {
  const own: Message[] = system === undefined ? [] : [{ role: 'system', parts: [{ type: 'text', text: system }] }]
  const first = given.findIndex(({ role }) => role !== 'system')
  const leading = first < 0 ? given.length : first
  return [...own, ...given.slice(0, leading), ...history, ...given.slice(leading)]
}
