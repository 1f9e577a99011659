/**
 * The config that is in force. It is read once at the start, where a mistake keeps the gateway from starting, and then
 * follows its file: a better one takes over, a broken one never does, and a file that vanishes or is emptied leaves the
 * last good one in force. It changes the file only when asked to.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Env } from './env.ts'
import { loadConfig } from './load.ts'
import type { Loaded, LoadOptions } from './load.ts'
import { overridesFrom } from './override.ts'
import type { Flags } from './override.ts'
import { isTree } from './path.ts'
import type { Schema, Tree } from './path.ts'
import { ConfigError, describeProblem, hasErrors } from './problem.ts'
import type { Problem } from './problem.ts'
import { overlayReferences, redact, schemaWithPlugins, secretsIn } from './redact.ts'
import { configSchema } from './schema.ts'
import type { Config } from './schema.ts'
import { watchConfig } from './watch.ts'
import type { ChangeTerms } from './write.ts'

export interface ConfigOptions {
  /** The gateway's home, where the file is looked for. */
  readonly home: string
  /** A file named by the owner (`--config`). */
  readonly file?: string | undefined
  readonly env: Env
  readonly flags?: Flags
  readonly clock: Clock
  /** Told what is wrong with the file, and which texts to hide. */
  readonly log: Pick<Log, 'info' | 'warn' | 'error' | 'hide'>
  /** Whether to follow the file. A command that only reads it does not. True unless said. */
  readonly watch?: boolean
}

export type ConfigListener = (config: Config, previous: Config) => void

export interface ConfigSource {
  /** What is in force. Frozen; a change makes another. */
  readonly current: Config
  /** The revision of the file that `current` comes from. */
  readonly revision: string
  /** The file that is followed, whether it is there or not. */
  readonly file: string
  /** What is wrong with the file as it stands now: warnings, or what keeps it out of force. */
  readonly problems: readonly Problem[]
  /** What is in force, fit to be shown: secrets replaced, references as the file has them. */
  shown(pluginSchemas?: { readonly [plugin: string]: Schema }): Tree
  /** Calls back after each change of what is in force. Answers its own undo. */
  onChange(listener: ConfigListener): () => void
  /** Looks at the file now instead of when it is noticed. Answers what is wrong with it. */
  reload(): Promise<readonly Problem[]>
  /**
   * Lays a JSON merge patch over the file; see `updateConfig` for what it rejects with. Listeners have been called when it
   * resolves.
   */
  update(patch: unknown, terms: ChangeTerms): Promise<{ readonly config: Config; readonly revision: string }>
  close(): void
}

/** Reads the config and begins to follow it. Rejects with a `ConfigError` that names every mistake. */
export async function openConfig(options: ConfigOptions): Promise<ConfigSource> {
  const { home, file, env, flags } = options
  const load: LoadOptions = { home, file, env, overrides: overridesFrom(env, flags) }
  const first = await loadConfig(load)
  hideSecrets(first.config, options.log)
  // Its mistakes are in the error, and whoever started the gateway reads that.
  if (!first.config) throw new ConfigError(first.problems)
  tell(first.problems, options.log)
  return new FollowedConfig(options, load, { ...first, config: first.config })
}

type Good = Loaded & { readonly config: Config }

class FollowedConfig implements ConfigSource {
  readonly #options: ConfigOptions
  readonly #load: LoadOptions
  readonly #listeners = new Set<ConfigListener>()
  readonly #unwatch: () => void
  #good: Good
  #seen: Loaded
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: ConfigOptions, load: LoadOptions, first: Good) {
    this.#options = options
    this.#load = load
    this.#good = first
    this.#seen = first
    const look = () => this.reload().then(() => {}, (error: unknown) => options.log.error('The config file could not be looked at', { error }))
    this.#unwatch = options.watch === false ? () => {} : watchConfig({ ...load, clock: options.clock, look })
  }

  get current(): Config {
    return this.#good.config
  }

  get revision(): string {
    return this.#good.revision
  }

  get file(): string {
    return this.#seen.file
  }

  get problems(): readonly Problem[] {
    return this.#seen.problems
  }

  shown(pluginSchemas: { readonly [plugin: string]: Schema } = {}): Tree {
    const shown = redact(overlayReferences(this.current, this.#good.written), schemaWithPlugins(pluginSchemas))
    return isTree(shown) ? shown : {}
  }

  onChange(listener: ConfigListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  reload(): Promise<readonly Problem[]> {
    return this.#inTurn(async () => {
      this.#take(await loadConfig(this.#load))
      return this.#seen.problems
    })
  }

  update(patch: unknown, terms: ChangeTerms): Promise<{ config: Config; revision: string }> {
    return this.#inTurn(async () => {
      const { updateConfig } = await import('./write.ts')
      this.#take(await updateConfig(patch, { ...this.#load, revision: terms.revision, ...(terms.accept && { accept: terms.accept }) }))
      return { config: this.current, revision: this.revision }
    })
  }

  close(): void {
    this.#unwatch()
    this.#listeners.clear()
  }

  /** One look or change after the other, so that what was read is still what the file says when it is acted on. */
  #inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(act)
    this.#turn = result.catch(() => {})
    return result
  }

  #take(loaded: Loaded): void {
    if (isSame(loaded, this.#seen)) return
    const found = lost(loaded, this.#good) ?? loaded
    if (found.config && hasErrors(this.#seen.problems)) this.#options.log.info('The config file can be used again')
    this.#seen = found
    hideSecrets(found.config, this.#options.log)
    tell(found.problems, this.#options.log)
    if (found.config) this.#adopt({ ...found, config: found.config })
    else this.#options.log.warn('The config file is not in force: the last good config stays')
  }

  #adopt(good: Good): void {
    const previous = this.#good.config
    this.#good = good
    if (isDeepStrictEqual(previous, good.config)) return
    this.#options.log.info('The config has changed', { file: good.file, revision: good.revision })
    for (const listener of this.#listeners) this.#call(listener, previous)
  }

  #call(listener: ConfigListener, previous: Config): void {
    try {
      listener(this.current, previous)
    } catch (error) {
      this.#options.log.error('Something failed to follow a change of the config', { error })
    }
  }
}

/** A file that is gone, or has been emptied, is more likely an accident or half a save than a wish for all defaults. */
function lost(loaded: Loaded, good: Good): Loaded | undefined {
  if (!good.exists || (loaded.exists && !loaded.empty)) return undefined
  const message = loaded.exists ? 'The config file is empty' : 'The config file is gone'
  const { config: _defaults, ...rest } = loaded
  return { ...rest, problems: [{ severity: 'warning', path: '', file: good.file, message }] }
}

function isSame(one: Loaded, other: Loaded): boolean {
  return one.file === other.file && one.exists === other.exists && one.revision === other.revision
}

function hideSecrets(config: Config | undefined, log: Pick<Log, 'hide'>): void {
  for (const secret of secretsIn(config, configSchema)) log.hide(secret)
}

function tell(problems: readonly Problem[], log: Pick<Log, 'warn' | 'error'>): void {
  for (const problem of problems) log[problem.severity === 'error' ? 'error' : 'warn'](describeProblem(problem), { field: problem.path })
}
