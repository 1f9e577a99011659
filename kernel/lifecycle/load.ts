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
 * A plugin's code could not be imported. The message names files without the folders they are in: it is shown to whoever may
 * list plugins, and where the owner keeps things is not theirs to know. `cause` is what was thrown, for the log.
 */
export class ImportError extends Error {
  override readonly name = 'ImportError'

  constructor(cause: unknown) {
    super(withoutFolders(cause instanceof Error ? cause.message : String(cause)), { cause })
  }
}

/**
 * The plugin's code. A new version in the same folder is imported anew; its other files are not, and the old code stays in
 * memory, because Node never lets a module go.
 * @throws ImportError what importing it threw.
 * @throws Error that it exports no plugin.
 */
export async function importPlugin(source: Source): Promise<Plugin> {
  if (source.plugin) return source.plugin
  if (source.entry === undefined) throw new Error(`${source.manifest.id} has neither code nor an entry`)
  const module = await imported(source.builtIn ? source.entry : `${source.entry}?version=${source.manifest.version}`)
  if (typeof module.default?.register !== 'function') {
    throw new Error(`${source.manifest.id} does not export a plugin as its default: use definePlugin`)
  }
  return module.default as Plugin
}

async function imported(url: string): Promise<{ readonly default?: Partial<Plugin> }> {
  try {
    // Whatever it exports: the caller looks.
    return (await import(url)) as { readonly default?: Partial<Plugin> }
  } catch (thrown) {
    throw new ImportError(thrown)
  }
}

/**
 * The line of the plugin's own code that was running when something was thrown, as
 * ` (index.ts:3)`. Empty where that cannot be seen, and for a plugin of this repository.
 */
export function placeOf(thrown: unknown, { builtIn, entry }: Source): string {
  const origin = thrown instanceof ImportError ? thrown.cause : thrown
  if (builtIn || entry === undefined || !(origin instanceof Error)) return ''
  const folder = new URL('.', entry).href
  const frame = origin.stack?.split('\n').find((line) => /^\s+at /.test(line) && line.includes(folder)) ?? ''
  const [, file, line] = /^([^?:]+)(?:\?version=[^:]*)?:(\d+):\d+/.exec(frame.slice(frame.indexOf(folder) + folder.length)) ?? []
  return file === undefined || line === undefined ? '' : ` (${decodeURIComponent(file)}:${line})`
}

/** An absolute path or file URL, up to its last part; what is imported under a version carries that as a query. */
const IN_QUOTES = /(['"`])(?:file:\/\/)?(?:\/|[A-Za-z]:[\\/])[^'"`\n]*[\\/]([^'"`\n\\/?]+)(?:\?version=[^'"`\n]*)?\1/g
const BARE = /(?<![\w@.:/\\-])(?:file:\/\/)?(?:\/|[A-Za-z]:[\\/])[^\s'"`]*[\\/]([^\s'"`\\/?]+)(?:\?version=[^\s'"`:]*)?/g

function withoutFolders(text: string): string {
  return text.replaceAll(IN_QUOTES, '$1$2$1').replaceAll(BARE, '$1')
}
