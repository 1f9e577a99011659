/**
 * Admission: whether a plugin may be loaded at all, and then its code. Each check is a function that answers a sentence or
 * nothing; no plugin code has run before all of them have passed.
 */
import satisfies from 'semver/functions/satisfies.js'
import { API_VERSION, type Manifest, type Plugin } from '@isopod/plugin-api'
import { complaints } from '../validators.ts'
import type { Source } from './catalog.ts'
import type { Wanted } from './plan.ts'
import { unreachableSecret } from './secret-config.ts'

/** Why a plugin may not be loaded, or undefined. `present` are the versions of all that is wanted, by id. */
export function objection(wanted: Wanted, present: ReadonlyMap<string, string>): string | undefined {
  const { manifest } = wanted.source
  return wrongApi(manifest) ?? missingNeed(manifest, present) ?? hiddenSecret(manifest) ?? wrongConfig(wanted)
}

function wrongApi({ id, version, api }: Manifest): string | undefined {
  if (satisfies(API_VERSION, api)) return undefined
  return `${id} ${version} was written for the plugin API ${api}, and this gateway has ${API_VERSION}`
}

/** The first need that is not met, in a sentence. */
export function missingNeed({ id, version, needs }: Manifest, present: ReadonlyMap<string, string>): string | undefined {
  for (const [need, range] of Object.entries(needs)) {
    const found = present.get(need)
    if (found === undefined) return `${id} ${version} needs ${need} ${range}, which is not there`
    // A prerelease of what is needed counts: its author is trying it out on purpose.
    if (!satisfies(found, range, { includePrerelease: true })) return `${id} ${version} needs ${need} ${range}, found ${need} ${found}`
  }
  return undefined
}

function hiddenSecret({ id, version, config }: Manifest): string | undefined {
  const place = unreachableSecret(config)
  return place === undefined ? undefined : `${id} ${version} marks a secret at ${place} of its config's schema, where it cannot be kept from the plugin: mark it in \`properties\` or \`items\``
}

/** What its own schema says of a plugin's config, or undefined. */
export function wrongConfig({ source: { manifest }, config }: Wanted): string | undefined {
  try {
    const wrong = manifest.config === undefined ? [] : complaints(manifest.config, config)
    return wrong.length > 0 ? `the config of ${manifest.id}: ${wrong.join('; ')}` : undefined
  } catch (thrown) {
    // Its author's mistake: it must not keep others from being loaded.
    const why = thrown instanceof RangeError ? 'it is nested too deeply' : (thrown as Error).message
    return `the manifest of ${manifest.id} ${manifest.version}: its \`config\` is no JSON Schema this gateway can use: ${why}`
  }
}

/**
 * The plugin's code. A new version in the same folder is imported anew; its other files are not, and the old code stays in
 * memory, because Node never lets a module go.
 * @throws Error what importing it threw, or that it exports no plugin.
 */
export async function importPlugin(source: Source): Promise<Plugin> {
  if (source.plugin) return source.plugin
  if (source.entry === undefined) throw new Error(`${source.manifest.id} has neither code nor an entry`)
  const module = (await import(source.builtIn ? source.entry : `${source.entry}?version=${source.manifest.version}`)) as { default?: Partial<Plugin> }
  if (typeof module.default?.register !== 'function') throw new Error(`${source.manifest.id} does not export a plugin as its default: use definePlugin`)
  return module.default as Plugin
}
