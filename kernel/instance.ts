/**
 * One living instance of a plugin: its registration, its config, and the calls that are inside it. A swap makes a new
 * instance; the old one lives until its last call has left.
 */
import type { JsonObject, Log, Manifest, Store } from '@isopod/plugin-api'
import type { Registration } from './recorder.ts'
import type { Call } from './call.ts'
import type { PluginState } from './lifecycle/state.ts'

export interface InstanceParts {
  readonly manifest: Manifest
  readonly registration: Registration
  readonly config: JsonObject
  /** The texts behind the secret references in the config. */
  readonly secrets: ReadonlyMap<string, string>
  readonly trust: 'trusted' | 'walled'
  readonly log: Log
  readonly store: Store
}

export class Instance {
  readonly id: string
  readonly version: string
  /** `chat 1.0.0`: how every message names it. */
  readonly label: string
  readonly manifest: Manifest
  readonly registration: Registration
  readonly config: JsonObject
  readonly secrets: ReadonlyMap<string, string>
  readonly trust: 'trusted' | 'walled'
  readonly log: Log
  readonly store: Store
  state: PluginState = 'registered'
  readonly #inside = new Set<Call>()
  #emptied: (() => void) | undefined

  constructor(parts: InstanceParts) {
    this.id = parts.manifest.id
    this.version = parts.manifest.version
    this.label = `${this.id} ${this.version}`
    this.manifest = parts.manifest
    this.registration = parts.registration
    this.config = parts.config
    this.secrets = parts.secrets
    this.trust = parts.trust
    this.log = parts.log
    this.store = parts.store
  }

  /** Calls whose handlers are running. */
  get inside(): number {
    return this.#inside.size
  }

  enter(call: Call): void {
    this.#inside.add(call)
  }

  leave(call: Call): void {
    this.#inside.delete(call)
    if (this.#inside.size === 0) this.#emptied?.()
  }

  /** Resolves once no call is inside; at once where none is. */
  emptied(): Promise<void> {
    if (this.#inside.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#emptied = resolve
    })
  }

  /** The calls inside, to be cancelled. */
  calls(): readonly Call[] {
    return [...this.#inside]
  }
}
