/**
 * The kernel: the generation that is current, and the one way to change it. A change goes through load, register, start
 * and ready, in that order; whatever fails on the way is left out and said, and until the single assignment in `#ready`
 * nothing that runs has been touched. It knows no socket, no route and no config file.
 */
import { isRpcError, type JsonObject } from '@isopod/plugin-api'
import type { Core } from './core.ts'
import { EMPTY_GENERATION, type Generation } from './generation.ts'
import type { Instance } from './instance.ts'
import { DRAIN_MS } from './limits.ts'
import { FailedWishes } from './lifecycle/failed-wishes.ts'
import { instantiate, type InstanceParts } from './lifecycle/instantiate.ts'
import { ImportError, objection, placeOf } from './lifecycle/load.ts'
import { plan, type Plan, type Wanted, type WantedPlugins } from './lifecycle/plan.ts'
import { tryOut, type Candidates, type Failure } from './lifecycle/register.ts'
import { eachAfterItsNeeds, start } from './lifecycle/start.ts'
import { letGo, stop } from './lifecycle/stop.ts'
import { Roster, type FailedAttempt, type PluginRow } from './roster.ts'
import { Stalls } from './stall.ts'

export interface KernelParts extends Omit<InstanceParts, 'clock'> {
  /** All of a core but what is the kernel's own. */
  readonly core: Omit<Core, 'current' | 'log' | 'stalls'>
}

/** What a change did, by plugin id. */
export interface ChangeReport {
  readonly generation: number
  readonly brought: readonly string[]
  readonly retired: readonly string[]
  readonly failed: Readonly<Record<string, string>>
}

interface Change {
  readonly plan: Plan
  readonly candidates: Candidates
  readonly wishes: ReadonlyMap<Instance, Wanted>
  readonly failures: Map<Instance, Failure>
  /** Failures of what never became an instance, by id. */
  readonly unborn: Map<string, FailedAttempt>
  /** What failed by itself, now or earlier. */
  readonly hopeless: Map<Wanted, string>
  /** Ids of what failed earlier and was not tried again. */
  readonly untried: ReadonlySet<string>
  trial: Generation
}

export class Kernel {
  readonly core: Core
  readonly #parts: KernelParts
  readonly #rawConfigs = new Map<Instance, JsonObject>()
  readonly #failedWishes = new FailedWishes()
  readonly #roster = new Roster()
  readonly #leaving = new Set<Promise<void>>()
  /** Those on which calls are still under way. */
  readonly #past = new Set<Generation>()
  #generation: Generation = EMPTY_GENERATION
  /** The one being tried, while a change is under way: what a plugin that is being started calls into. */
  #trial: Generation | undefined
  #changes: Promise<unknown> = Promise.resolve()
  #stopping: Promise<void> | undefined

  constructor(parts: KernelParts) {
    this.#parts = parts
    const { core, log } = parts
    const stalls = new Stalls({ clock: core.clock, log, inside: () => this.#inside() })
    this.core = Object.freeze({ ...core, log, stalls, current: () => this.#generation })
  }

  /** What the gateway is now. */
  get generation(): Generation {
    return this.#generation
  }

  /** Makes the gateway what is wanted, as far as it can be. Never rejects; changes happen one after the other. */
  apply(wanted: WantedPlugins): Promise<ChangeReport> {
    const change = this.#changes.then(() => this.#apply(wanted)).catch((thrown: unknown) => this.#broken(thrown))
    this.#changes = change
    return change
  }

  /** Every plugin that is known, in the order of ids. */
  rows(): readonly PluginRow[] {
    return this.#roster.rows(this.#generation)
  }

  /** Drains and stops everything. Resolves when the last instance has stopped. */
  stop(drainMs: number = DRAIN_MS): Promise<void> {
    this.#stopping ??= this.#stop(drainMs)
    return this.#stopping
  }

  async #stop(drainMs: number): Promise<void> {
    await this.#changes
    this.#letGo([...this.#generation.instances.values()], drainMs)
    await Promise.all(this.#leaving)
    this.core.stalls.close()
  }

  /** Those in which calls are under way, the ones that were replaced included. */
  #inside(): Instance[] {
    const all = new Set([...this.#past, this.#generation].flatMap(({ instances }) => [...instances.values()]))
    return [...all].filter(({ inside }) => inside > 0)
  }

  async #apply(wanted: WantedPlugins): Promise<ChangeReport> {
    if (this.#stopping) return this.#unchanged('the gateway is stopping')
    try {
      const change = await this.#load(wanted)
      this.#register(change)
      await this.#start(change)
      return await this.#ready(change, wanted)
    } finally {
      this.#trial = undefined
    }
  }

  /** A change must never take the gateway down, not even by a bug of the kernel's own. */
  #broken(thrown: unknown): ChangeReport {
    this.#parts.log.error('A change of plugins could not be carried out', { err: thrown })
    return this.#unchanged(sentence(thrown))
  }

  #unchanged(why: string): ChangeReport {
    return { generation: this.#generation.number, brought: [], retired: [], failed: { kernel: why } }
  }

  async #load(wanted: WantedPlugins): Promise<Change> {
    const planned = plan(wanted, this.#generation.instances.values(), this.#rawConfigs)
    const unborn = new Map(wanted.unreadable.map(({ id, reason }): [string, FailedAttempt] => [id, { version: '', reason }]))
    const hopeless = new Map(this.#failedWishes.standing(planned, wanted.renew ?? new Set(), this.#generation))
    for (const [{ source }, reason] of hopeless) unborn.set(source.manifest.id, { version: source.manifest.version, reason })
    const untried = new Set([...hopeless.keys()].map(({ source }) => source.manifest.id))
    const present = this.#present(wanted, untried)
    const wishes = new Map<Instance, Wanted>()
    const parts = { ...this.#parts, clock: this.core.clock }
    const bring = async (wish: Wanted) => {
      const { id, version } = wish.source.manifest
      const why = objection(wish, present)
      if (why !== undefined) return void unborn.set(id, { version, reason: why })
      try {
        wishes.set(await instantiate(wish, parts), wish)
      } catch (thrown) {
        if (thrown instanceof ImportError) this.#parts.log.error(`The code of ${id} ${version} could not be imported`, { err: thrown.cause })
        const reason = `${sentence(thrown)}${placeOf(thrown, wish.source)}`
        unborn.set(id, { version, reason })
        hopeless.set(wish, reason)
      }
    }
    await Promise.all(planned.bring.filter(({ source }) => !untried.has(source.manifest.id)).map(bring))
    // Trust that was taken away is gone at once, whatever becomes of the walled instance that is to follow.
    const distrusted = new Set(wanted.plugins.filter(({ trust }) => trust === 'walled').map(({ source }) => source.manifest.id))
    const lasting = planned.retire.filter(({ id, trust }) => trust === 'walled' || !distrusted.has(id))
    const predecessors = new Map(lasting.map((one) => [one.id, one]))
    const newcomers = [...wishes.keys()].sort((left, right) => (left.id < right.id ? -1 : 1))
    // A replacement that could not even be loaded leaves what runs in its place.
    const spared = lasting.filter((one) => unborn.has(one.id) && !newcomers.some(({ id }) => id === one.id))
    const candidates = { kept: [...planned.keep, ...spared], newcomers, predecessors }
    return { plan: planned, candidates, wishes, failures: new Map(), unborn, hopeless, untried, trial: this.#generation }
  }

  /** The versions of all that can be there after a change, by id. */
  #present({ plugins }: WantedPlugins, untried: ReadonlySet<string>): ReadonlyMap<string, string> {
    const running = (id: string) => this.#generation.instances.get(id)?.version
    const found = plugins.map(({ source: { manifest: { id, version } } }) => [id, untried.has(id) ? running(id) : version] as const)
    return new Map(found.flatMap(([id, version]) => (version === undefined ? [] : [[id, version]])))
  }

  #register(change: Change): void {
    change.trial = tryOut(change.candidates, change.failures, this.#generation.number + 1)
    this.#trial = change.trial
  }

  /** Whoever is taken back because another failed to start is started in a further round. */
  async #start(change: Change): Promise<void> {
    for (;;) {
      const waiting = change.candidates.newcomers.filter((one) => one.state === 'registered' && !change.failures.has(one))
      if (waiting.length === 0) return
      await eachAfterItsNeeds(waiting, (instance) => this.#begin(instance, change))
    }
  }

  async #begin(instance: Instance, change: Change): Promise<void> {
    if (change.failures.has(instance)) return
    try {
      await start(instance, this.core, () => this.#seenBy(instance))
    } catch (thrown) {
      const reason = `\`start\` failed: ${sentence(thrown)}`
      change.failures.set(instance, { reason, between: [] })
      const wish = change.wishes.get(instance)
      if (wish) change.hopeless.set(wish, reason)
      this.#register(change)
    }
  }

  /** What an instance's own acts call into: once it is there, whatever is current. Nothing here may hold on to a change. */
  #seenBy({ state }: Instance): Generation {
    return state === 'registered' || state === 'started' ? (this.#trial ?? this.#generation) : this.#generation
  }

  async #ready(change: Change, wanted: WantedPlugins): Promise<ChangeReport> {
    const before = this.#generation
    const { newcomers } = change.candidates
    const brought = newcomers.filter((one) => !change.failures.has(one))
    for (const instance of brought) instance.become('ready')
    this.#generation = change.trial
    this.#outlives(before)
    const retired = [...before.instances.values()].filter((one) => change.trial.instances.get(one.id) !== one)
    this.#remember(change, wanted, brought)
    this.#letGo(retired, DRAIN_MS)
    await Promise.all(newcomers.filter((one) => change.failures.has(one)).map((one) => stop(one, this.core, 'failed')))
    return this.#report(change, brought, retired)
  }

  #remember(change: Change, wanted: WantedPlugins, brought: readonly Instance[]): void {
    for (const instance of brought) this.#rawConfigs.set(instance, change.wishes.get(instance)?.config ?? {})
    this.#failedWishes.remember(change.hopeless, change.trial)
    this.#roster.update(wanted, failuresOf(change))
  }

  /** Remembers a generation until the last call on it has ended. */
  #outlives(generation: Generation): void {
    if (generation.calls.size === 0) return
    this.#past.add(generation)
    void generation.calls.emptied().then(() => this.#past.delete(generation))
  }

  #letGo(instances: readonly Instance[], drainMs: number): void {
    for (const instance of instances) this.#rawConfigs.delete(instance)
    const leaving = letGo(instances, [...this.#past, this.#generation], this.core, drainMs)
    this.#leaving.add(leaving)
    void leaving.finally(() => this.#leaving.delete(leaving))
  }

  #report(change: Change, brought: readonly Instance[], retired: readonly Instance[]): ChangeReport {
    const { trial, untried } = change
    const failures = failuresOf(change)
    const news = [...failures].filter(([id]) => !untried.has(id))
    for (const [id, { reason }] of news) {
      const running = trial.instances.get(id)
      this.#parts.log.error(`plugin ${id} failed: ${reason}${running ? `; ${running.label} goes on as it was` : ''}`)
    }
    const changed = new Set([...brought, ...retired].map(({ id }) => id).concat(news.map(([id]) => id)))
    for (const { id, version, state } of this.rows()) if (changed.has(id)) this.core.events.tell('plugin.changed', { id, version, state })
    const failed = Object.fromEntries([...failures].map(([id, { reason }]) => [id, reason]))
    return { generation: trial.number, brought: brought.map((one) => one.label), retired: retired.map((one) => one.label), failed }
  }
}

/** What a change could not bring, or keep, by id. */
function failuresOf({ unborn, failures }: Change): ReadonlyMap<string, FailedAttempt> {
  const left = [...failures].map(([{ id, version }, { reason }]) => [id, { version, reason }] as const)
  return new Map([...unborn, ...left])
}

/** What a caller is not told of a bug, the owner is. */
function sentence(thrown: unknown): string {
  if (isRpcError(thrown) && thrown.cause !== undefined) return sentence(thrown.cause)
  return thrown instanceof Error ? thrown.message : String(thrown)
}
