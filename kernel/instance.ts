/**
 * One living instance of a plugin: its registration, its config, and the calls that are inside it. A swap makes a new
 * instance; the old one lives until its last call has left.
 */
import type { Caller, JsonObject, Log, Manifest, Store } from '@isopod/plugin-api'
import type { Registration } from './recorder.ts'
import type { Call } from './call.ts'
import { Calls } from './calls.ts'
import { moved, type PluginState } from './lifecycle/state.ts'

/** What an instance is made of. */
export type InstanceParts = Pick<Instance, 'manifest' | 'registration' | 'config' | 'secrets' | 'trust' | 'builtIn' | 'log' | 'store'>

export class Instance {
  readonly id: string
  readonly version: string
  /** `chat 1.0.0`: how every message names it. */
  readonly label: string
  /** The plugin acting on its own, not for anyone who asked. */
  readonly caller: Caller
  readonly manifest: Manifest
  readonly registration: Registration
  readonly config: JsonObject
  /** The texts behind the secret references in the config. */
  readonly secrets: ReadonlyMap<string, string>
  readonly trust: 'trusted' | 'walled'
  /** Part of this repository. */
  readonly builtIn: boolean
  readonly log: Log
  readonly store: Store
  /** Calls whose handlers are running. */
  readonly calls = new Calls<Call>()
  /** Being stopped, or past it: no call may enter any more. */
  gone = false
  /** Its own acts, outside of any call, from `start` until it is stopped. */
  life: Call | undefined
  #state: PluginState = 'registered'

  constructor(parts: InstanceParts) {
    this.id = parts.manifest.id
    this.version = parts.manifest.version
    this.label = `${this.id} ${this.version}`
    this.caller = Object.freeze({ id: `plugin:${this.id}`, scopes: Object.freeze(['read', 'write'] as const), origin: 'automation' } as const)
    this.manifest = parts.manifest
    this.registration = parts.registration
    this.config = parts.config
    this.secrets = parts.secrets
    this.trust = parts.trust
    this.builtIn = parts.builtIn
    this.log = parts.log
    this.store = parts.store
  }

  get state(): PluginState {
    return this.#state
  }

  /** @throws Error where it cannot go there from where it is: a bug of the kernel. */
  become(state: PluginState): void {
    this.#state = moved(this.#state, state)
  }

  /** How many calls are inside. */
  get inside(): number {
    return this.calls.size
  }
}
