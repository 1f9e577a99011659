/** A config without a file: what the test says, checked and filled with defaults like any other. */
import { RpcError, type JsonObject } from '@isopod/plugin-api'
import { checkConfig } from '@isopod/kernel/config/check.ts'
import type { ConfigListener, ConfigSource } from '@isopod/kernel/config/config.ts'
import { mergePatch } from '@isopod/kernel/config/merge.ts'
import type { Schema, Tree } from '@isopod/kernel/config/path.ts'
import { redact, schemaWithPlugins } from '@isopod/kernel/config/redact.ts'
import type { Config } from '@isopod/kernel/config/schema.ts'
import type { ChangeTerms } from '@isopod/kernel/config/write.ts'

export class FixedConfig implements ConfigSource {
  readonly file = 'the test'
  readonly problems = []
  #tree: Tree
  #current: Config
  #revision = 1
  readonly #listeners = new Set<ConfigListener>()

  /** @throws Error naming everything that is wrong. */
  constructor(tree: JsonObject) {
    this.#tree = tree
    this.#current = checked(tree)
  }

  get current(): Config {
    return this.#current
  }

  get revision(): string {
    return String(this.#revision)
  }

  shown(pluginSchemas: { readonly [plugin: string]: Schema } = {}): Tree {
    // An object goes in, so an object comes out.
    return redact(this.#current, schemaWithPlugins(pluginSchemas)) as Tree
  }

  onChange(listener: ConfigListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async reload(): Promise<readonly []> {
    return []
  }

  async update(patch: unknown, { revision, accept }: ChangeTerms): Promise<{ config: Config; revision: string }> {
    if (revision !== this.revision) throw new RpcError('conflict', 'The config has changed in the meantime')
    const previous = this.#current
    // A merge patch laid over an object is an object.
    const tree = mergePatch(this.#tree, patch) as Tree
    const config = checked(tree)
    await accept?.({ before: this.#tree, after: tree, config })
    this.#current = config
    this.#tree = tree
    this.#revision += 1
    for (const listener of this.#listeners) listener(this.#current, previous)
    return { config: this.#current, revision: this.revision }
  }

  close(): void {
    this.#listeners.clear()
  }
}

function checked(tree: JsonObject | Tree): Config {
  const { config, findings } = checkConfig(structuredClone<JsonObject | Tree>(tree))
  if (!config) {
    throw new RpcError('invalid_request', `The test's config is wrong: ${findings.map((finding) => finding.message).join('; ')}`)
  }
  return config
}
