/**
 * Runs a plugin's `register` once and remembers what it tapped. The gateway it hands to `register` can only be tapped, and
 * only until `register` has returned; contributing taps are run right away and what they add is kept as plain records, so
 * that each generation can replay the same objects (and reuse their compiled schemas) without entering plugin code again.
 */
import {
  ASKING_HOOKS,
  CONTRIBUTING_HOOKS,
  HEARING_HOOKS,
  PROMISED_IN_REGISTER,
  type Channel,
  type Dialect,
  type GatewayHooks,
  type Method,
  type ModelProvider,
  type Plugin,
  type Route,
  type StartContext,
  type TapOptions,
  type Tool,
} from '@isopod/plugin-api'
import { admitted, admittedTap, type Kind, type RecordedTap } from './contribution.ts'
import { declareOnly } from './declare-only.ts'

export type { RecordedTap } from './contribution.ts'

/** Everything a plugin contributes. The same for one in this process and one behind the wall. */
export interface Registration {
  readonly methods: readonly Method[]
  readonly routes: readonly Route[]
  readonly dialects: readonly Dialect[]
  readonly tools: readonly Tool[]
  readonly models: readonly ModelProvider[]
  readonly channels: readonly Channel[]
  readonly taps: readonly RecordedTap[]
  start?(ctx: StartContext): void | Promise<void>
  stop?(): void | Promise<void>
}

/**
 * Runs `register` and answers what it declared.
 * @throws Error where it threw, did more than declare, or declared something no generation could hold; the message says
 *   what, in words for the plugin's author.
 */
export function record(plugin: Plugin, pluginId: string): Registration {
  const recorder = new Recorder(pluginId)
  try {
    refusePromise(declareOnly(() => plugin.register({ hooks: recorder.hooks })))
  } finally {
    recorder.close()
  }
  return Object.freeze({
    ...recorder.recorded,
    ...(plugin.start && { start: plugin.start.bind(plugin) }),
    ...(plugin.stop && { stop: plugin.stop.bind(plugin) }),
  })
}

class Recorder {
  readonly #pluginId: string
  readonly #items: Record<Kind, object[]> = { methods: [], routes: [], dialects: [], tools: [], models: [], channels: [] }
  readonly #taps: RecordedTap[] = []
  #closed = false

  constructor(pluginId: string) {
    this.#pluginId = pluginId
  }

  /** What `register` taps. */
  get hooks(): GatewayHooks {
    const hooks: Record<string, object> = {}
    for (const kind of CONTRIBUTING_HOOKS) hooks[kind] = this.#contributing(kind)
    for (const hook of [...Object.keys(ASKING_HOOKS), ...Object.keys(HEARING_HOOKS)]) hooks[hook] = this.#watching(hook)
    // The facade is built from the same tables the types are, so every hook of the interface is there.
    return Object.freeze(hooks) as unknown as GatewayHooks
  }

  get recorded() {
    // Each list holds what its own registry took, and `admitted` has checked it.
    return { ...this.#items, taps: this.#taps } as unknown as Pick<Registration, Kind | 'taps'>
  }

  /** From here on nothing can be added: what a plugin is does not change while it runs. */
  close(): void {
    this.#closed = true
    for (const list of [...Object.values(this.#items), this.#taps]) Object.freeze(list)
  }

  #contributing(kind: Kind) {
    const registry = Object.freeze({
      add: (item: object) => {
        this.#mustBeOpen(`${kind}.add`)
        this.#items[kind].push(admitted(kind, item))
      },
    })
    return Object.freeze({
      tap: (_options: string | TapOptions, contribute: (into: typeof registry) => unknown) => {
        this.#mustBeOpen(`${kind}.tap`)
        refusePromise(contribute(registry))
      },
    })
  }

  #watching(hook: string) {
    return Object.freeze({
      tap: (options: string | TapOptions, run: unknown) => {
        this.#mustBeOpen(`${hook}.tap`)
        const tap = admittedTap(this.#pluginId, hook, options, run)
        if (this.#taps.some((one) => one.hook === hook && one.name === tap.name)) throw new Error(`two taps of ${hook} are both named ${tap.name}`)
        this.#taps.push(tap)
      },
    })
  }

  #mustBeOpen(what: string): void {
    if (!this.#closed) return
    throw new Error(`${what} was called after \`register\` had returned: what a plugin contributes is declared there and nowhere else`)
  }
}

/** Declaring takes no time. What the promise was to bring is not waited for, and its failure is nobody's any more. */
function refusePromise(answer: unknown): void {
  if (typeof (answer as PromiseLike<unknown> | undefined)?.then !== 'function') return
  Promise.resolve(answer).catch(() => {})
  throw new Error(PROMISED_IN_REGISTER)
}
