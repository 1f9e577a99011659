/**
 * The kernel: the generation that is current, and the one way to change it. A change goes through load, register, start
 * and ready, in that order; whatever fails on the way is left out and said, and until the single assignment in `#ready`
 * nothing that runs has been touched. It knows no socket, no route and no config file.
 */
import { isRpcError, type JsonObject, type Sandbox, type Store } from '@isopod/plugin-api'
import type { Core } from './core.ts'
import { EMPTY_GENERATION, type Generation } from './generation.ts'
import { Instance } from './instance.ts'
import { DRAIN_MS, START_DEADLINE_MS } from './limits.ts'
import type { Source } from './lifecycle/catalog.ts'
import { importPlugin, objection } from './lifecycle/load.ts'
import { plan, type Plan, type Wanted, type WantedPlugins } from './lifecycle/plan.ts'
import { tryOut, type Candidates } from './lifecycle/register.ts'
import { separateSecrets } from './lifecycle/secret-config.ts'
import { inOrderOfNeeds, start } from './lifecycle/start.ts'
import { moved, type PluginState } from './lifecycle/state.ts'
import { letGo, stop } from './lifecycle/stop.ts'
import type { Log } from './log.ts'
import { record, type Registration } from './recorder.ts'
import { Stalls } from './stall.ts'

export interface KernelParts {
  /** All of a core but what is the kernel's own. */
  readonly core: Omit<Core, 'current' | 'log' | 'stalls'>
  readonly log: Log
  /** A plugin's corner of the store. */
  readonly storeOf: (pluginId: string) => Store
  /** What holds plugins that are not trusted. Without one, such a plugin fails and says so. */
  readonly sandbox?: Sandbox
}

/** A row of `plugin.list`. */
export interface PluginRow {
  readonly id: string
  readonly version: string
  readonly description?: string
  readonly state: PluginState
  readonly trust: 'trusted' | 'walled'
  readonly builtIn: boolean
  /** Why the newest attempt to bring it, or to replace it, came to nothing. */
  readonly reason?: string
  /** Calls inside it now. */
  readonly calls: number
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
  readonly failures: Map<Instance, string>
  /** Failures of what never became an instance, by id. */
  readonly unborn: Map<string, string>
  trial: Generation
}

export class Kernel {
  readonly core: Core
  readonly #parts: KernelParts
  readonly #rawConfigs = new Map<Instance, JsonObject>()
  readonly #reasons = new Map<string, string>()
  readonly #leaving = new Set<Promise<void>>()
  /** Those on which calls are still under way. */
  readonly #past = new Set<Generation>()
  #sources = new Map<string, { source: Source; trust: Wanted['trust']; disabled: boolean }>()
  #generation: Generation = EMPTY_GENERATION
  /** The one being tried, while a change is under way: what a plugin that is being started calls into. */
  #trial: Generation | undefined
  #changes: Promise<unknown> = Promise.resolve()
  #stopped = false

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
    const ids = [...new Set([...this.#sources.keys(), ...this.#reasons.keys()])].sort()
    return ids.filter((id) => id !== 'kernel').map((id) => this.#row(id))
  }

  /** Drains and stops everything. Resolves when the last instance has stopped. */
  async stop(drainMs: number = DRAIN_MS): Promise<void> {
    this.#stopped = true
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
    if (this.#stopped) return this.#unchanged('the gateway is stopping')
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
    const present = new Map(wanted.plugins.map(({ source: { manifest } }) => [manifest.id, manifest.version]))
    const unborn = new Map(wanted.unreadable.map(({ id, reason }) => [id, reason]))
    const wishes = new Map<Instance, Wanted>()
    await Promise.all(
      planned.bring.map(async (wish) => {
        try {
          const why = objection(wish, present)
          if (why !== undefined) throw new Error(why)
          wishes.set(await this.#instance(wish), wish)
        } catch (thrown) {
          unborn.set(wish.source.manifest.id, sentence(thrown))
        }
      }),
    )
    // Trust that was taken away is gone at once, whatever becomes of the walled instance that is to follow.
    const distrusted = new Set(wanted.plugins.filter(({ trust }) => trust === 'walled').map(({ source }) => source.manifest.id))
    const lasting = planned.retire.filter(({ id, trust }) => trust === 'walled' || !distrusted.has(id))
    const predecessors = new Map(lasting.map((one) => [one.id, one]))
    const newcomers = [...wishes.keys()].sort((left, right) => (left.id < right.id ? -1 : 1))
    // A replacement that could not even be loaded leaves what runs in its place.
    const spared = lasting.filter((one) => unborn.has(one.id) && !newcomers.some(({ id }) => id === one.id))
    const candidates = { kept: [...planned.keep, ...spared], newcomers, predecessors }
    return { plan: planned, candidates, wishes, failures: new Map(), unborn, trial: this.#generation }
  }

  #register(change: Change): void {
    change.trial = tryOut(change.candidates, change.failures, this.#generation.number + 1)
    this.#trial = change.trial
  }

  async #start(change: Change): Promise<void> {
    for (const instance of inOrderOfNeeds(change.candidates.newcomers)) {
      if (change.failures.has(instance)) continue
      try {
        await start(instance, this.core, () => this.#seenBy(instance))
      } catch (thrown) {
        change.failures.set(instance, `\`start\` failed: ${sentence(thrown)}`)
        this.#register(change)
      }
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
    for (const instance of brought) instance.state = moved(instance.state, 'ready')
    this.#generation = change.trial
    this.#outlives(before)
    const retired = [...before.instances.values()].filter((one) => change.trial.instances.get(one.id) !== one)
    this.#remember(change, wanted, brought)
    this.#letGo(retired, DRAIN_MS)
    await Promise.all(newcomers.filter((one) => change.failures.has(one)).map((one) => this.#abandon(one)))
    return this.#report(change, brought, retired)
  }

  #remember(change: Change, wanted: WantedPlugins, brought: readonly Instance[]): void {
    for (const instance of brought) this.#rawConfigs.set(instance, change.wishes.get(instance)?.config ?? {})
    this.#sources = new Map(wanted.plugins.map((one) => [one.source.manifest.id, { ...one, disabled: false }]))
    for (const source of wanted.disabled) this.#sources.set(source.manifest.id, { source, trust: 'trusted', disabled: true })
    this.#reasons.clear()
    for (const [id, reason] of change.unborn) this.#reasons.set(id, reason)
    for (const [instance, reason] of change.failures) this.#reasons.set(instance.id, reason)
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

  async #abandon(instance: Instance): Promise<void> {
    await stop(instance, this.core)
    instance.state = 'failed'
  }

  #report({ unborn, failures, trial }: Change, brought: readonly Instance[], retired: readonly Instance[]): ChangeReport {
    const failed: Record<string, string> = Object.fromEntries(unborn)
    for (const [instance, reason] of failures) failed[instance.id] = reason
    for (const [id, reason] of Object.entries(failed)) {
      const running = trial.instances.get(id)
      this.#parts.log.error(`plugin ${id} failed: ${reason}${running ? `; ${running.label} goes on as it was` : ''}`)
    }
    const changed = new Set([...brought, ...retired].map(({ id }) => id).concat(Object.keys(failed)))
    for (const { id, version, state } of this.rows()) if (changed.has(id)) this.core.events.tell('plugin.changed', { id, version, state })
    return { generation: trial.number, brought: brought.map((one) => one.label), retired: retired.map((one) => one.label), failed }
  }

  async #instance(wish: Wanted): Promise<Instance> {
    const { manifest, builtIn } = wish.source
    const { trust } = wish
    const log = this.#parts.log.child({ plugin: `${manifest.id} ${manifest.version}` })
    const { config, secrets } = separateSecrets(wish.config, manifest.config)
    for (const secret of secrets.values()) this.#parts.log.hide(secret)
    const registration = trust === 'walled' ? await this.#walled(wish, log) : record(await this.#inTime(importPlugin(wish.source), manifest.id), manifest.id)
    return new Instance({ manifest, registration, config, secrets, trust, builtIn, log, store: this.#parts.storeOf(manifest.id) })
  }

  /** Code that never finishes loading must not hold up every later change. */
  #inTime<Loaded>(loading: Promise<Loaded>, id: string): Promise<Loaded> {
    return new Promise((resolve, reject) => {
      const undo = this.core.clock.after(START_DEADLINE_MS, () => reject(new Error(`${id} did not load within ${START_DEADLINE_MS} ms`)))
      loading.then(resolve, reject).finally(undo)
    })
  }

  async #walled({ source: { manifest, entry } }: Wanted, log: Log): Promise<Registration> {
    const { sandbox } = this.#parts
    if (!sandbox) throw new Error(`${manifest.id} does not come with the gateway, and this version has no wall to put it behind: \`trust: full\` under plugins.${manifest.id} runs it unguarded`)
    if (entry === undefined) throw new Error(`${manifest.id} has no entry a process could load`)
    const { walledContributions } = await import('./door.ts')
    const loading = sandbox.load({ id: manifest.id, version: manifest.version, entry }, (level, text) => log[level](text))
    const walled = await this.#inTime(loading, manifest.id).catch((thrown: unknown) => {
      // One that comes too late is sent home.
      void loading.then((late) => late.close()).catch(() => {})
      throw thrown
    })
    return walledContributions(walled, manifest.id)
  }

  #row(id: string): PluginRow {
    const known = this.#sources.get(id)
    const instance = this.#generation.instances.get(id)
    const reason = this.#reasons.get(id)
    const manifest = instance?.manifest ?? known?.source.manifest
    return {
      id,
      version: manifest?.version ?? '',
      ...(manifest?.description !== undefined && { description: manifest.description }),
      state: instance?.state ?? (known?.disabled ? 'disabled' : 'failed'),
      trust: instance?.trust ?? known?.trust ?? 'trusted',
      builtIn: instance?.builtIn ?? known?.source.builtIn ?? false,
      ...(reason !== undefined && { reason }),
      calls: instance?.inside ?? 0,
    }
  }
}

/** What a caller is not told of a bug, the owner is. */
function sentence(thrown: unknown): string {
  if (isRpcError(thrown) && thrown.cause !== undefined) return sentence(thrown.cause)
  return thrown instanceof Error ? thrown.message : String(thrown)
}
