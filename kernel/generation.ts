/**
 * What the gateway is at one moment: methods, routes, dialects, tools, models, channels and hooks, in one frozen object. A call
 * keeps the one that was in force at its arrival until it ends. A change assembles the next one and leaves this as it is;
 * assembling enters no plugin code, because what plugins contribute was recorded when they registered.
 */
import {
  ASKING_HOOKS,
  CONTRIBUTING_HOOKS,
  isObject,
  isRpcError,
  type AskingHooks,
  type Channel,
  type Dialect,
  type HearingHooks,
  type Method,
  type ModelProvider,
  type Route,
  type TapAnswer,
  type Tool,
} from '@isopod/plugin-api'
import type { Call } from './call.ts'
import { Calls } from './calls.ts'
import { Collector, type Bound, type Problem } from './collector.ts'
import { freshHooks, type Hooks, type Question } from './hooks.ts'
import type { Instance } from './instance.ts'
import type { RecordedTap } from './recorder.ts'
import { inOrder, type PlacedTap } from './tap-order.ts'

export interface Generation {
  /** Grows by one with each switch. */
  readonly number: number
  readonly instances: ReadonlyMap<string, Instance>
  readonly methods: ReadonlyMap<string, Bound<Method>>
  readonly routes: ReadonlyMap<string, Bound<Route>>
  readonly dialects: ReadonlyMap<string, Bound<Dialect>>
  readonly tools: ReadonlyMap<string, Bound<Tool>>
  readonly models: ReadonlyMap<string, Bound<ModelProvider>>
  readonly channels: ReadonlyMap<string, Bound<Channel>>
  readonly hooks: Hooks
  /** Whatever began on it and has not ended. */
  readonly calls: Calls<object>
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
  for (const kind of CONTRIBUTING_HOOKS) hooks[kind].call(collector)
  const { placed, problems: unplaceable } = inOrder(instances.flatMap((instance) => instance.registration.taps.map((tap) => ({ tap, instance }))))
  collector.problems.push(...unplaceable)
  for (const one of placed) tapHook(hooks, one)
  collector.problems.push(...rootless(collector))
  const { methods, routes, dialects, tools, models, channels, problems } = collector
  const byId = new Map(instances.map((one) => [one.id, one]))
  const generation = { number, instances: byId, methods, routes, dialects, tools, models, channels, hooks, calls: new Calls<object>() }
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
  hooks.channels.tap(id, (into) => registration.channels.forEach((item) => into.addChannel(item, instance)))
}

/** Routes that lead to a method nobody offers, or that their plugin may not lead to. */
function rootless({ routes, methods }: Collector): Problem[] {
  return [...routes.values()].flatMap(({ item, instance }) => {
    const why = item.call === '*' ? anyMethod(instance) : oneMethod(methods.get(item.call), instance)
    return why === undefined ? [] : [{ between: [instance], reason: `\`${instance.label}\` serves ${item.verb} ${item.path} with ${item.call}, ${why}` }]
  })
}

function oneMethod(bound: Bound<Method> | undefined, instance: Instance): string | undefined {
  if (!bound) return 'which no plugin offers'
  return bound.item.internal && bound.instance !== instance ? 'which only plugins may call' : undefined
}

/** Whoever holds a token could be led to any method of it by a row that says so only when it is called. */
function anyMethod(instance: Instance): string | undefined {
  return instance.trust === 'walled' ? 'which a plugin behind the wall may not' : undefined
}

function tapHook(hooks: Hooks, { tap, instance }: PlacedTap): void {
  if (tap.hook in ASKING_HOOKS) {
    const hook = hooks.asking[tap.hook as keyof AskingHooks]
    hook.tapPromise(tap.name, (question, call) => answered(question, call, tap, instance))
    return
  }
  hooks.hearing[tap.hook as keyof HearingHooks].tapPromise(tap.name, (fact, call) => heard(fact, call, tap, instance))
}

/** Asks one tap. Never rejects: a throw, silence, or an answer of the wrong shape refuses, and says whose it was. */
async function answered(question: Question, call: Call, tap: RecordedTap, instance: Instance): Promise<Question> {
  if (question.by !== undefined) return question
  try {
    const answer = (await call.enterAskingTap(instance, tap, question.subject)) as TapAnswer<object>
    if (answer === undefined || answer === null) return question
    if ('refuse' in answer) return { ...question, refused: answer.refuse, by: tap.name }
    if ('change' in answer && isObject(answer.change)) return { subject: Object.freeze({ ...question.subject, ...answer.change }) }
    throw new Error('it answered neither nothing, nor `refuse`, nor `change`')
  } catch (thrown) {
    // Cut off with the call it watches: not its doing.
    if (call.isStopped) return question
    instance.log.error(`${tap.hook} is refused because \`${tap.name}\` failed`, { err: thrown })
    const why = isRpcError(thrown) && thrown.code === 'timeout' ? `did not answer within ${tap.deadlineMs} ms` : 'failed'
    return { ...question, refused: `\`${instance.label}\` watches this and ${why}`, by: tap.name }
  }
}

async function heard(fact: object, call: Call, tap: RecordedTap, instance: Instance): Promise<void> {
  try {
    await call.enterHearingTap(instance, tap, fact)
  } catch (thrown) {
    instance.log.error(`\`${tap.name}\` failed to hear ${tap.hook}`, { err: thrown })
  }
}
