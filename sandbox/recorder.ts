/**
 * Runs `register` inside the child and remembers what it tapped: what is data, to be told to the gateway, and the functions,
 * which stay here and are found by kind and name. It needs nothing of Node, so it can stand in an isolate as it is.
 */
import {
  ASKING_HOOKS,
  HEARING_HOOKS,
  jsonCopy,
  type Channel,
  type Context,
  type Declared,
  type Dialect,
  type Gateway,
  type Json,
  type Method,
  type ModelProvider,
  type Plugin,
  type Route,
  type TapOptions,
  type Target,
  type Tool,
} from '@isopod/plugin-api'

/** A function of the plugin, as an entry runs it. */
export interface Entrance {
  /** How its failures begin: the same words the kernel uses for a plugin in its own process. */
  readonly where: string
  readonly run: (args: readonly Json[], ctx: Context) => unknown
}

type Kind = Target['kind']
// Plugin functions, whose argument types the schema checks on the gateway's side.
type Callable = (...args: unknown[]) => unknown
type Draft = { -readonly [Name in keyof Declared]: Declared[Name] extends readonly (infer Item)[] ? Item[] : Declared[Name] }

/** What of a declaration is told. Anything else in it is the author's own. */
const FIELDS = {
  method: ['name', 'description', 'scope', 'internal', 'streams', 'deadlineMs', 'params', 'result'],
  route: ['verb', 'path', 'call', 'auth', 'body', 'mount', 'maxBody', 'describe'],
  dialect: ['name', 'subprotocols', 'paths', 'openings'],
  tool: ['name', 'description', 'effects', 'params'],
  'model API': ['name', 'description'],
  channel: ['name', 'title', 'description'],
  tap: ['name', 'before', 'deadlineMs'],
} as const satisfies Record<string, readonly string[]>

/** What one plugin registered. */
export class Recorder {
  readonly #plugin: { readonly id: string; readonly label: string }
  readonly #entrances = new Map<string, Entrance>()
  readonly #declared: Draft = { methods: [], routes: [], dialects: [], tools: [], models: [], channels: [], taps: [], starts: false, stops: false }

  constructor(plugin: { readonly id: string; readonly label: string }) {
    this.#plugin = plugin
  }

  get declared(): Declared {
    return this.#declared
  }

  entrance(target: Target): Entrance | undefined {
    return this.#entrances.get(key(target.kind, target.name))
  }

  /** The gateway that `register` is given. */
  gateway(): Gateway {
    const hooks: Record<string, object> = {
      methods: contributing((item: Method) => this.#method(item)),
      routes: contributing((item: Route) => this.#route(item)),
      dialects: contributing((item: Dialect) => this.#dialect(item)),
      tools: contributing((item: Tool) => this.#tool(item)),
      models: contributing((item: ModelProvider) => this.#model(item)),
      channels: contributing((item: Channel) => this.#channel(item)),
    }
    for (const hook of [...Object.keys(ASKING_HOOKS), ...Object.keys(HEARING_HOOKS)]) {
      hooks[hook] = Object.freeze({ tap: (options: string | TapOptions, run: Callable) => this.#tap(hook, options, run) })
    }
    // Built from the same tables as the interface, so every hook of it is there.
    return Object.freeze({ hooks: Object.freeze(hooks) as unknown as Gateway['hooks'] })
  }

  /** Takes `start` and `stop`, which are no hooks. */
  life(plugin: Plugin): void {
    const { start, stop } = plugin
    this.#declared.starts = start !== undefined
    this.#declared.stops = stop !== undefined
    if (start) this.#keep('start', '', `start of ${this.#plugin.label}`, (_args, ctx) => start.call(plugin, ctx))
    if (stop) this.#keep('stop', '', `stop of ${this.#plugin.label}`, () => stop.call(plugin))
  }

  #method({ handle, ...method }: Method): void {
    this.#function(handle, 'methods', method.name, 'handle')
    this.#declared.methods.push(this.#plain(method, 'method'))
    this.#keep('method', method.name, `${method.name} of ${this.#plugin.label}`, withContext(handle as Callable))
  }

  #tool({ handle, ...tool }: Tool): void {
    this.#function(handle, 'tools', tool.name, 'handle')
    this.#declared.tools.push(this.#plain(tool, 'tool'))
    this.#keep('tool', tool.name, `the tool ${tool.name} of ${this.#plugin.label}`, withContext(handle as Callable))
  }

  #model({ stream, ...model }: ModelProvider): void {
    this.#function(stream, 'models', model.name, 'stream')
    this.#declared.models.push(this.#plain(model, 'model API'))
    this.#keep('model', model.name, `the model API ${model.name} of ${this.#plugin.label}`, withContext(stream as Callable))
  }

  #channel({ send, status, ...channel }: Channel): void {
    this.#declared.channels.push(this.#plain(channel, 'channel'))
    for (const [act, run] of Object.entries({ send, status })) {
      this.#function(run, 'channels', channel.name, act)
      // The table of a channel's two functions names exactly these kinds.
      this.#keep(`channel.${act}` as Kind, channel.name, `${act} of the channel ${channel.name} of ${this.#plugin.label}`, withContext(run as Callable))
    }
  }

  #route({ decode, encode, ...route }: Route): void {
    const name = `${route.verb} ${route.path}`
    this.#declared.routes.push({ ...this.#plain(route, 'route'), decodes: decode !== undefined, encodes: encode !== undefined })
    const where = `of the route ${name} of ${this.#plugin.label}`
    if (decode) this.#keep('route.decode', name, `decode ${where}`, withoutContext(decode as Callable))
    if (encode) this.#keep('route.encode', name, `encode ${where}`, withoutContext(encode as Callable))
  }

  #dialect({ greet, decode, encode, ...dialect }: Dialect): void {
    this.#declared.dialects.push(this.#plain(dialect, 'dialect'))
    for (const [verb, spell] of Object.entries({ greet, decode, encode })) {
      this.#function(spell, 'dialects', dialect.name, verb)
      const where = `${verb} of the dialect ${dialect.name} of ${this.#plugin.label}`
      // The table of a dialect's three functions names exactly these kinds.
      this.#keep(`dialect.${verb}` as Kind, dialect.name, where, withoutContext(spell as Callable))
    }
  }

  #tap(hook: string, options: string | TapOptions, run: Callable): void {
    const tap = typeof options === 'string' ? { name: options } : options
    if (typeof run !== 'function') throw new Error(`the tap \`${tap.name}\` of ${hook} brings no function`)
    this.#declared.taps.push({ ...this.#plain(tap, 'tap'), hook })
    this.#keep('tap', `${hook}/${tap.name}`, `the tap ${this.#plugin.id}/${tap.name} of ${hook}`, withContext(run))
  }

  /** A declaration as data: the fields the plugin API knows, as frozen JSON. */
  #plain<Item extends object>(item: Item, what: keyof typeof FIELDS): Item {
    const known = Object.fromEntries(Object.entries(item).filter(([name]) => (FIELDS[what] as readonly string[]).includes(name)))
    return jsonCopy(known, `a ${what} of ${this.#plugin.label}`, 'held') as Item
  }

  #function(value: unknown, kind: string, name: string, field: string): void {
    if (typeof value !== 'function') throw new Error(`${kind}: ${name} has no \`${field}\``)
  }

  #keep(kind: Kind, name: string, where: string, run: Entrance['run']): void {
    if (this.#entrances.has(key(kind, name))) throw new Error(`${where} is there twice, and is found by its name`)
    this.#entrances.set(key(kind, name), { where, run })
  }
}

function key(kind: string, name: string): string {
  return `${kind} ${name}`
}

function contributing(add: (item: never) => void): object {
  return Object.freeze({
    tap: (_options: string | TapOptions, contribute: (registry: { readonly add: typeof add }) => void) => contribute({ add }),
  })
}

function withContext(run: Callable): Entrance['run'] {
  return (args, ctx) => run(...args, ctx)
}

function withoutContext(run: Callable): Entrance['run'] {
  return (args) => run(...args)
}
