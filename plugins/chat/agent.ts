/**
 * Agents: what the owner's config says about who answers, and how a request names one. A `model` may name an agent instead
 * of a model, because most clients have no other field to put it in.
 */
import { RpcError, type Context, type JsonObject } from '@isopod/plugin-api'
import type { ToolRules } from './tool-rules.ts'

export const DEFAULT_AGENT = 'default'

/** Requests to the model in one run unless the config says otherwise: enough for long errands, an end to going in circles. */
const ROUNDS = 20

export interface Agent {
  readonly id: string
  readonly model?: string
  readonly fallbacks: readonly string[]
  readonly system?: string
  readonly maxRounds: number
  readonly tools: ToolRules
}

/** An agent as the config spells it; the manifest's schema has checked it. */
interface AgentConfig {
  readonly model?: string
  readonly fallbacks?: readonly string[]
  readonly system?: string
  readonly maxRounds?: number
  readonly tools?: ToolRules
}

export interface Choice {
  /** The agent that was named; the session's own answers where none was. */
  readonly agentId?: string
  /** The model that was named beside or instead of it. */
  readonly model?: string
}

/** Who is asked for. Throws `not_found` for an agent that the config does not have, `invalid_request` where two are named. */
export function choiceOf({ agentId, model }: Choice, config: JsonObject): Choice {
  if (agentId !== undefined && !isKnown(agentId, config)) throw noAgent(agentId, config)
  const meant = model === undefined ? undefined : agentIn(model, config)
  if (meant === undefined) return { ...(agentId !== undefined && { agentId }), ...(model !== undefined && { model }) }
  const named = meant === 'any' ? agentId : meant.agentId
  if (agentId !== undefined && named !== agentId) {
    throw new RpcError('invalid_request', `model: names the agent ${named}, and agentId names ${agentId}`, { param: 'model' })
  }
  return named === undefined ? {} : { agentId: named }
}

/** The agent by its id. One that left the config while a session still names it is replaced by the default, and said. */
export function agentOf(id: string, { config, log }: Pick<Context, 'config' | 'log'>): Agent {
  if (!isKnown(id, config)) {
    log.warn(`The config has no agent ${id} any more; the default agent answers in its place`)
    return agentOf(DEFAULT_AGENT, { config, log })
  }
  // Checked against the manifest's schema before it got here.
  const { model, fallbacks = [], system, maxRounds = ROUNDS, tools = {} } = (Object.hasOwn(config, id) ? config[id] : {}) as AgentConfig
  const agent = { id, fallbacks, maxRounds, tools }
  return { ...agent, ...(model !== undefined && { model }), ...(system !== undefined && { system }) }
}

/** What a model's name says of an agent: which one, any, or nothing. `isopod/offline` is a model, whatever agents there are. */
function agentIn(model: string, config: JsonObject): 'any' | { readonly agentId: string } | undefined {
  if (model === 'openclaw' || model === 'isopod') return 'any'
  if (model === 'isopod/offline') return undefined
  const agentId = /^(?:openclaw\/|isopod\/|agent:)(.+)$/s.exec(model)?.[1]
  return agentId !== undefined && isKnown(agentId, config) ? { agentId } : undefined
}

function isKnown(id: string, config: JsonObject): boolean {
  return id === DEFAULT_AGENT || Object.hasOwn(config, id)
}

function noAgent(id: string, config: JsonObject): RpcError {
  const known = [...new Set([DEFAULT_AGENT, ...Object.keys(config)])].join(', ')
  return new RpcError('not_found', `There is no agent ${id}; the config has ${known}`, { param: 'agentId' })
}
