/**
 * Who may run which tool: the owner anything, everybody else what the tool's effects and the owner's config allow. It looks
 * only at where the call came from, the agent it names and what the tool declares; never at the arguments.
 */
import type { Effect, JsonObject, Origin, TapAnswer, ToolCalling, Context } from '@isopod/plugin-api'
import { fits } from './name-pattern.ts'

type Guarded = Exclude<Origin, 'owner'>

/** What is to be run, by whom. */
export interface Question {
  readonly tool: string
  readonly effects: readonly string[]
  readonly origin: Origin
  readonly agentId?: string | undefined
}

/**
 * Effects that each origin may have unless the config says otherwise. Nobody but the owner runs programs or spends money
 * unasked, and for a stranger nothing is read that is not the stranger's own.
 */
const EFFECTS_OF: Readonly<Record<Guarded, readonly Effect[]>> = {
  agent: ['read', 'write', 'network'],
  automation: ['read', 'network'],
  stranger: [],
}

const WHOM: Readonly<Record<Guarded, string>> = { agent: 'the agent', automation: 'an automation', stranger: 'a stranger' }

/** The config, as the manifest's schema has checked it. */
interface Rules {
  readonly deny?: readonly string[]
  readonly allow?: readonly string[]
}

interface Config extends Rules {
  readonly effects?: Partial<Record<Guarded, readonly Effect[]>>
  readonly agents?: Readonly<Record<string, Rules & { readonly effects?: readonly Effect[] }>>
}

/** The tap: refuses in words that the model may see. */
export function guard({ tool, effects, caller, agentId }: ToolCalling, ctx: Context): TapAnswer<ToolCalling> {
  const refuse = objection({ tool, effects, origin: caller.origin, agentId }, ctx.config)
  return refuse === undefined ? undefined : { refuse }
}

/** Why it may not be run, in a sentence; undefined where it may. */
export function objection({ tool, effects, origin, agentId }: Question, given: JsonObject): string | undefined {
  if (origin === 'owner') return undefined
  const config = given as Config
  const agent = agentId !== undefined && config.agents && Object.hasOwn(config.agents, agentId) ? config.agents[agentId] : undefined
  // An agent's own rules may widen only what the agent does: anybody can name one.
  const own = origin === 'agent' ? agent : undefined
  if (names(tool, config.deny, agent?.deny)) return `the owner's config denies ${tool} to ${WHOM[origin]}`
  if (names(tool, config.allow, own?.allow)) return undefined
  const granted: readonly string[] = own?.effects ?? config.effects?.[origin] ?? EFFECTS_OF[origin]
  const missing = effects.filter((effect) => !granted.includes(effect))
  return missing.length === 0 ? undefined : `${tool} has the effect ${missing.join(' and ')}, which ${WHOM[origin]} may not have here`
}

function names(tool: string, ...lists: readonly (readonly string[] | undefined)[]): boolean {
  return lists.some((patterns) => patterns?.some((pattern) => fits(tool, pattern)))
}
