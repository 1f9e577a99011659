/**
 * Runs a plugin's `register` once and remembers what it tapped. The gateway it hands to `register` can only be tapped;
 * contributing taps are run right away and what they add is kept as plain records, so that each generation can replay the
 * same objects (and reuse their compiled schemas) without entering plugin code again.
 */
import {
  ASKING_HOOKS,
  HEARING_HOOKS,
  type AskingHooks,
  type Context,
  type Dialect,
  type Gateway,
  type GatewayHooks,
  type HearingHooks,
  type Method,
  type ModelProvider,
  type Plugin,
  type Route,
  type StartContext,
  type TapOptions,
  type Tool,
} from '@isopod/plugin-api'
import { declareOnly } from './declare-only.ts'
import { TAP_DEADLINE_MS, TAP_DEADLINE_MAX_MS } from './limits.ts'

/** A tap of a hook that asks or tells. */
export interface RecordedTap {
  readonly hook: keyof AskingHooks | keyof HearingHooks
  /** `<plugin id>/<name>`. */
  readonly name: string
  readonly before?: string
  readonly deadlineMs: number
  run(subject: never, ctx: Context): unknown
}

/** Everything a plugin contributes. The same for one in this process and one behind the wall. */
export interface Registration {
  readonly methods: readonly Method[]
  readonly routes: readonly Route[]
  readonly dialects: readonly Dialect[]
  readonly tools: readonly Tool[]
  readonly models: readonly ModelProvider[]
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
  const kept = { methods: [], routes: [], dialects: [], tools: [], models: [] } as {
    methods: Method[]
    routes: Route[]
    dialects: Dialect[]
    tools: Tool[]
    models: ModelProvider[]
  }
  const taps: RecordedTap[] = []
  const gateway: Gateway = { hooks: recordingHooks(pluginId, kept, taps) }
  const answer: unknown = declareOnly(() => plugin.register(gateway))
  if (answer instanceof Promise) throw new Error('`register` answered a promise: it declares, and declaring takes no time')
  return Object.freeze({
    ...kept,
    taps,
    ...(plugin.start && { start: plugin.start.bind(plugin) }),
    ...(plugin.stop && { stop: plugin.stop.bind(plugin) }),
  })
}

function recordingHooks(pluginId: string, kept: { [Kind in 'methods' | 'routes' | 'dialects' | 'tools' | 'models']: object[] }, taps: RecordedTap[]): GatewayHooks {
  const contributing = (kind: keyof typeof kept) => ({
    tap: (_options: string | TapOptions, contribute: (registry: { add(item: object): void }) => void) => {
      contribute({ add: (item) => void kept[kind].push(admitted(kind, item)) })
    },
  })
  const asking = (hook: RecordedTap['hook']) => ({
    tap: (options: string | TapOptions, run: RecordedTap['run']) => void taps.push(recordedTap(pluginId, hook, options, run)),
  })
  const hooks: Record<string, object> = {}
  for (const kind of ['methods', 'routes', 'dialects', 'tools', 'models'] as const) hooks[kind] = contributing(kind)
  for (const hook of [...names(ASKING_HOOKS), ...names(HEARING_HOOKS)]) hooks[hook] = asking(hook)
  // The facade is built from the same tables the types are, so every hook of the interface is there.
  return Object.freeze(hooks) as unknown as GatewayHooks
}

function names<Table extends object>(table: Table): (keyof Table)[] {
  return Object.keys(table) as (keyof Table)[]
}

function recordedTap(pluginId: string, hook: RecordedTap['hook'], options: string | TapOptions, run: RecordedTap['run']): RecordedTap {
  const { name, before, deadlineMs = TAP_DEADLINE_MS } = typeof options === 'string' ? { name: options } : options
  if (typeof run !== 'function') throw new Error(`the tap \`${name}\` of ${hook} brings no function`)
  return {
    hook,
    name: `${pluginId}/${name}`,
    ...(before !== undefined && { before }),
    deadlineMs: Math.min(Math.max(1, deadlineMs), TAP_DEADLINE_MAX_MS),
    run,
  }
}

const SHAPES = {
  methods: { field: 'name', pattern: /^[a-z][a-zA-Z0-9]*\.[a-z][a-zA-Z0-9]*$/, like: '`noun.verb`' },
  tools: { field: 'name', pattern: /^[a-z0-9_]{1,64}$/, like: '1 to 64 of a-z, 0-9 and _' },
  dialects: { field: 'name', pattern: /^[a-z][a-z0-9-]*$/, like: 'lower case' },
  models: { field: 'name', pattern: /^[a-z][a-z0-9-]*$/, like: 'lower case' },
  routes: { field: 'path', pattern: /^\/(?:[^{}?#\s]|\{[a-zA-Z]+\+?\})*$/, like: 'a path such as /v1/things/{id}' },
} as const

/** The item itself, frozen, once it has a name that can be found again and a function to run. */
function admitted(kind: keyof typeof SHAPES, item: object): object {
  const { field, pattern, like } = SHAPES[kind]
  const name = (item as Record<string, unknown>)[field]
  if (typeof name !== 'string' || !pattern.test(name)) throw new Error(`${kind}: ${field} ${JSON.stringify(name)} is not ${like}`)
  const { handle, streams, internal } = item as Partial<Method>
  if ((kind === 'methods' || kind === 'tools') && typeof handle !== 'function') throw new Error(`${kind}: ${name} has no \`handle\``)
  if (streams && !internal) throw new Error(`methods: ${name} streams, and only an internal method may`)
  return Object.freeze(item)
}
