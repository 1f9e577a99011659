/** Compares the plugins that are wanted with those that run. Pure: it decides, and does nothing. */
import { isDeepStrictEqual } from 'node:util'
import type { JsonObject } from '@isopod/plugin-api'
import type { Instance } from '../instance.ts'
import type { Source, Unreadable } from './catalog.ts'

/** A plugin the owner wants, with the config he gives it. */
export interface Wanted {
  readonly source: Source
  readonly trust: 'trusted' | 'walled'
  /** As it stands in the config, secrets in the clear; the plugin gets references. */
  readonly config: JsonObject
}

/** What the owner wants, and what he wants but cannot have. */
export interface WantedPlugins {
  readonly plugins: readonly Wanted[]
  /** Switched off: shown, not loaded. */
  readonly disabled: readonly Source[]
  readonly unreadable: readonly Unreadable[]
  /** Ids to bring anew even though nothing about them has changed. */
  readonly renew?: ReadonlySet<string>
}

export interface Plan {
  /** New ones, and new instances of running ones whose version, config or trust changed. */
  readonly bring: readonly Wanted[]
  readonly keep: readonly Instance[]
  /** Replaced or no longer wanted. */
  readonly retire: readonly Instance[]
}

/** @param rawConfigs the config each running instance was made from, as the owner wrote it. */
export function plan({ plugins, renew }: WantedPlugins, running: Iterable<Instance>, rawConfigs: ReadonlyMap<Instance, JsonObject>): Plan {
  const byId = new Map(plugins.map((one) => [one.source.manifest.id, one]))
  const keep: Instance[] = []
  const retire: Instance[] = []
  for (const instance of running) {
    const wish = byId.get(instance.id)
    const unchanged = wish !== undefined && !renew?.has(instance.id) && isSame(wish, instance, rawConfigs.get(instance))
    ;(unchanged ? keep : retire).push(instance)
    if (unchanged) byId.delete(instance.id)
  }
  return { bring: [...byId.values()], keep, retire }
}

function isSame(wish: Wanted, instance: Instance, rawConfig: JsonObject | undefined): boolean {
  return isDeepStrictEqual(wish.source.manifest, instance.manifest) && wish.trust === instance.trust && isDeepStrictEqual(wish.config, rawConfig)
}
