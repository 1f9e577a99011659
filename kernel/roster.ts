/**
 * The roster: every plugin that is known, as `plugin.list` shows it. It holds what the last change was told and what came of
 * it; what runs it is shown by the generation.
 */
import type { Generation } from './generation.ts'
import type { Source } from './lifecycle/catalog.ts'
import type { Wanted, WantedPlugins } from './lifecycle/plan.ts'
import type { PluginState } from './lifecycle/state.ts'

/** An attempt to bring a plugin, or to replace it, that came to nothing. */
export interface FailedAttempt {
  /** Empty where not even that could be read. */
  readonly version: string
  readonly reason: string
}

/** A row of `plugin.list`. */
export interface PluginRow {
  readonly id: string
  readonly version: string
  readonly description?: string
  /** `failed` where it is wanted and does not run. */
  readonly state: PluginState
  readonly trust: 'trusted' | 'walled'
  readonly builtIn: boolean
  /** The newest attempt, where it came to nothing; what `version` says runs on beside it, unless `state` is `failed`. */
  readonly failed?: FailedAttempt
  /** Calls inside it now. */
  readonly calls: number
}

interface Known {
  readonly source: Source
  readonly trust: Wanted['trust']
  readonly isDisabled: boolean
}

export class Roster {
  #known: ReadonlyMap<string, Known> = new Map()
  #failed: ReadonlyMap<string, FailedAttempt> = new Map()

  /** What a change was to bring, and what of it failed, by id. */
  update({ plugins, disabled }: WantedPlugins, failed: ReadonlyMap<string, FailedAttempt>): void {
    const known = new Map<string, Known>()
    for (const { source, trust } of plugins) known.set(source.manifest.id, { source, trust, isDisabled: false })
    for (const source of disabled) known.set(source.manifest.id, { source, trust: source.builtIn ? 'trusted' : 'walled', isDisabled: true })
    this.#known = known
    this.#failed = failed
  }

  /** In the order of ids. */
  rows(current: Generation): readonly PluginRow[] {
    const ids = [...new Set([...this.#known.keys(), ...this.#failed.keys()])].sort()
    return ids.filter((id) => id !== 'kernel').map((id) => this.#row(id, current))
  }

  #row(id: string, { instances }: Generation): PluginRow {
    const known = this.#known.get(id)
    const instance = instances.get(id)
    const failed = this.#failed.get(id)
    const manifest = instance?.manifest ?? known?.source.manifest
    return {
      id,
      version: manifest?.version ?? '',
      ...(manifest?.description !== undefined && { description: manifest.description }),
      state: instance?.state ?? (known?.isDisabled ? 'disabled' : 'failed'),
      // What cannot be read has nobody's trust.
      trust: instance?.trust ?? known?.trust ?? 'walled',
      builtIn: instance?.builtIn ?? known?.source.builtIn ?? false,
      ...(failed && { failed }),
      calls: instance?.inside ?? 0,
    }
  }
}
