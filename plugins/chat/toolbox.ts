/** The tools of a run: the gateway's own that the agent may use, and the client's, which win where they share a name. */
import { RpcError, type Context, type OfferedTool } from '@isopod/plugin-api'
import type { ToolRow } from '../tools/contract.ts'
import type { Agent } from './agent.ts'
import type { Request } from './request.ts'
import { mayUse } from './tool-rules.ts'

export interface Toolbox {
  readonly offered: readonly OfferedTool[]
  /** Whether a call of it is the client's to carry out. */
  isClients(name: string): boolean
}

/** Throws `invalid_request` where the tool that must be used does not exist. */
export async function toolboxFor(agent: Agent, { clientTools, toolChoice }: Request, ctx: Context): Promise<Toolbox> {
  const clients = new Set(clientTools.map(({ name }) => name))
  const own = toolChoice === 'none' ? [] : await ownTools(agent, ctx)
  const offered = [...own.filter(({ name }) => !clients.has(name)), ...clientTools]
  const forced = typeof toolChoice === 'object' ? toolChoice.name : undefined
  if (forced !== undefined && !offered.some(({ name }) => name === forced)) {
    throw new RpcError('invalid_request', `toolChoice: there is no tool ${forced}`, { param: 'toolChoice' })
  }
  return { offered, isClients: (name) => clients.has(name) }
}

async function ownTools({ id, tools: rules }: Agent, ctx: Context): Promise<OfferedTool[]> {
  // What the method answers is its contract's.
  const { tools } = (await ctx.call('tool.list', { agentId: id })) as unknown as { readonly tools: readonly ToolRow[] }
  const allowed = tools.filter(({ name, effects }) => mayUse(rules, name, effects))
  return allowed.map(({ name, description, params }) => ({ name, description, params }))
}
