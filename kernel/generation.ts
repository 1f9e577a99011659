/**
 * What the gateway is at one moment: methods, routes, dialects, tools, models and hooks, in one frozen object. A call
 * captures it when it begins and finishes on it. Change means assembling another and one assignment; assembling enters no
 * plugin code, because what plugins contribute was recorded when they registered.
 */
import {
  ASKING_HOOKS,
  isRpcError,
  type AskingHooks,
  type Dialect,
  type HearingHooks,
  type Method,
  type ModelProvider,
  type Route,
  type TapAnswer,
  type Tool,
} from '@isopod/plugin-api'
import type { Call } from './call.ts'
import { Collector, type Bound, type Problem } from './collector.ts'
import { freshHooks, type Hooks, type Question } from './hooks.ts'
import type { Instance } from './instance.ts'
import type { RecordedTap } from './recorder.ts'

export interface Generation {
  /** Grows by one with each switch. */
  readonly number: number
  readonly instances: ReadonlyMap<string, Instance>
  readonly methods: ReadonlyMap<string, Bound<Method>>
  readonly routes: ReadonlyMap<string, Bound<Route>>
  readonly dialects: ReadonlyMap<string, Bound<Dialect>>
  readonly tools: ReadonlyMap<string, Bound<Tool>>
  readonly models: ReadonlyMap<string, Bound<ModelProvider>>
  readonly hooks: Hooks
}

/**
 * Replays what the instances contribute, in the order of their ids, into a fresh generation. Always answers one; it may
 * serve only where `problems` is empty.
 */
export function assemble(members: Iterable<Instance>, number: number): { generation: Generation; problems: readonly Problem[] } {
  const instances = [...members].sort((left, right) => (left.id < right.id ? -1 : 1))
  const hooks = freshHooks()
  const collector = new Collector()
  for (const instance of instances) contribute(hooks, instance)
  for (const kind of ['methods', 'routes', 'dialects', 'tools', 'models'] as const) hooks[kind].call(collector)
  const taps = instances.flatMap((instance) => instance.registration.taps.map((tap) => ({ tap, instance })))
  collector.problems.push(...unplaceable(taps))
  for (const { tap, instance } of taps) tapHook(hooks, tap, instance)
  collector.problems.push(...rootless(collector))
  const { methods, routes, dialects, tools, models, problems } = collector
  const generation = { number, instances: new Map(instances.map((one) => [one.id, one])), methods, routes, dialects, tools, models, hooks }
  return { generation: Object.freeze(generation), problems }
}

/** The generation before the first: it has nothing, so everything is refused. */
export const EMPTY_GENERATION: Generation = assemble([], 0).generation

function contribute(hooks: Hooks, instance: Instance): void {
  const { registration, id } = instance
  hooks.methods.tap(id, (into) => registration.methods.forEach((item) => into.addMethod(item, instance)))
  hooks.routes.tap(id, (into) => registration.routes.forEach((item) => into.addRoute(item, instance)))
  hooks.dialects.tap(id, (into) => registration.dialects.forEach((item) => into.addDialect(item, instance)))
  hooks.tools.tap(id, (into) => registration.tools.forEach((item) => into.addTool(item, instance)))
  hooks.models.tap(id, (into) => registration.models.forEach((item) => into.addModel(item, instance)))
}

/** Taps that want to run before one that does not exist. tapable would put them last without a word. */
function unplaceable(taps: readonly { tap: RecordedTap; instance: Instance }[]): Problem[] {
  return taps
    .filter(({ tap: { hook, before } }) => before !== undefined && !taps.some((other) => other.tap.hook === hook && other.tap.name === before))
    .map(({ tap, instance }) => ({
      pluginId: instance.id,
      reason: `\`${instance.label}\` taps ${tap.hook} before ${tap.before}, which does not exist`,
    }))
}

/** Routes that lead to a method nobody offers. */
function rootless({ routes, methods }: Collector): Problem[] {
  return [...routes.values()]
    .filter(({ item }) => !methods.has(item.call))
    .map(({ item, instance }) => ({
      pluginId: instance.id,
      reason: `\`${instance.label}\` serves ${item.verb} ${item.path} with ${item.call}, which no plugin offers`,
    }))
}

function tapHook(hooks: Hooks, tap: RecordedTap, instance: Instance): void {
  const options = { name: tap.name, ...(tap.before !== undefined && { before: tap.before }) }
  if (tap.hook in ASKING_HOOKS) {
    const hook = hooks.asking[tap.hook as keyof AskingHooks]
    hook.tapPromise(options, (question, call) => answered(question, call, tap, instance))
    return
  }
  hooks.hearing[tap.hook as keyof HearingHooks].tapPromise(options, (fact, call) => heard(fact, call, tap, instance))
}

/** Asks one tap. Never rejects: a throw, silence, or an answer of the wrong shape refuses, and says whose it was. */
async function answered(question: Question, call: Call, tap: RecordedTap, instance: Instance): Promise<Question> {
  if (question.by !== undefined) return question
  try {
    const answer = (await call.enterTap(instance, tap, question.subject)) as TapAnswer<object>
    if (answer === undefined || answer === null) return question
    if ('refuse' in answer) return { ...question, refused: String(answer.refuse), by: tap.name }
    if ('change' in answer) return { subject: Object.freeze({ ...question.subject, ...answer.change }) }
    throw new Error('it answered neither nothing, nor `refuse`, nor `change`')
  } catch (thrown) {
    instance.log.error(`${tap.hook} is refused because \`${tap.name}\` failed`, { err: thrown })
    const why = isRpcError(thrown) && thrown.code === 'timeout' ? `did not answer within ${tap.deadlineMs} ms` : 'failed'
    return { ...question, refused: `\`${instance.label}\` watches this and ${why}`, by: tap.name }
  }
}

async function heard(fact: object, call: Call, tap: RecordedTap, instance: Instance): Promise<void> {
  try {
    await call.enterTap(instance, tap, fact)
  } catch (thrown) {
    instance.log.error(`\`${tap.name}\` failed to hear ${tap.hook}`, { err: thrown })
  }
}
