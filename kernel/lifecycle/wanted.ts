/**
 * What the owner wants, read from the config: the plugins of this repository unless switched off, and those the config
 * brings from elsewhere. What he wants but cannot have is told with the reason, and never stops the rest.
 */
import { isAbsolute, resolve } from 'node:path'
import satisfies from 'semver/functions/satisfies.js'
import type { JsonObject } from '@isopod/plugin-api'
import type { Config, PluginConfig } from '../config/schema.ts'
import { readSource, type Source, type Unreadable } from './catalog.ts'
import { knownConfig } from './known-config.ts'
import type { Wanted, WantedPlugins } from './plan.ts'

export interface WantedParts {
  readonly config: Config
  /** The plugins that come with the gateway, by their manifests. */
  readonly builtIn: readonly Source[]
  /** Folders named in the config are relative to this one. */
  readonly home: string
}

/** What is wanted, and what the owner should hear of his wishes. */
export type ReadWishes = WantedPlugins & { readonly warnings: readonly string[] }

/** Never rejects. */
export async function wantedPlugins({ config, builtIn, home }: WantedParts): Promise<ReadWishes> {
  const warnings: string[] = []
  const plugins: Wanted[] = []
  const disabled: Source[] = []
  const unreadable: Unreadable[] = []
  const known = new Map(builtIn.map((source) => [source.manifest.id, source]))
  const ids = new Set([...known.keys(), ...Object.keys(config.plugins)])
  for (const id of ids) {
    const entry = config.plugins[id]
    try {
      const source = await sourceOf(id, entry, known.get(id), home)
      if (entry?.enabled === false) disabled.push(source)
      else plugins.push({ source, trust: trustOf(source, entry), config: configOf(source, entry, config, warnings) })
    } catch (thrown) {
      if (entry?.enabled !== false) unreadable.push({ id, reason: (thrown as Error).message })
    }
  }
  return { plugins, disabled, unreadable, warnings }
}

async function sourceOf(id: string, entry: PluginConfig | undefined, known: Source | undefined, home: string): Promise<Source> {
  if (id === 'kernel') throw new Error('kernel is the name of the gateway itself: no plugin can have it')
  const source = entry?.from === undefined ? known : await sourceFrom(id, entry.from, home)
  if (!source) throw new Error(`there is no plugin ${id} here; say where it comes from: plugins.${id}.from`)
  const { version } = source.manifest
  if (entry?.version !== undefined && !satisfies(version, entry.version, { includePrerelease: true })) {
    throw new Error(`the config wants ${id} ${entry.version}, and ${version} is there`)
  }
  return source
}

async function sourceFrom(id: string, from: string, home: string): Promise<Source> {
  if (!isAbsolute(from) && !from.startsWith('.')) throw new Error(`plugins.${id}.from is '${from}': this gateway takes a folder, beginning with / or ./`)
  const folder = resolve(home, from)
  const source = await readSource(folder, false).catch((cause: Error) => {
    // `plugin.list` shows this to callers: it speaks of the folder as the owner wrote it, not of where it lies.
    throw new Error(cause.message.replaceAll(folder, from), { cause })
  })
  if (source?.manifest.id !== id) throw new Error(`the plugin in ${from} is ${source?.manifest.id}, not ${id}`)
  return source
}

/** What comes with the gateway is trusted; anything else only where the owner says so in as many words. */
function trustOf(source: Source, entry: PluginConfig | undefined): Wanted['trust'] {
  if (entry?.trust !== undefined) return entry.trust === 'full' ? 'trusted' : 'walled'
  return source.builtIn ? 'trusted' : 'walled'
}

/**
 * A plugin of this repository may own a top-level section; its own entry under `plugins` is laid over it. One from elsewhere
 * owns none, or it could ask for the keys of all models by naming their section.
 */
function configOf({ manifest, builtIn }: Source, entry: PluginConfig | undefined, config: Config, warnings: string[]): JsonObject {
  const section = manifest.section === undefined || !builtIn ? {} : (config[manifest.section as keyof Config] as JsonObject | undefined)
  // Both were parsed from a file of text: they are JSON. What is unknown in a section was told when the file was read.
  const shared = knownConfig(section ?? {}, manifest.config, manifest.section ?? '')
  const own = knownConfig((entry?.config as JsonObject | undefined) ?? {}, manifest.config, `plugins.${manifest.id}.config`)
  warnings.push(...own.unknown)
  return { ...shared.config, ...own.config }
}
