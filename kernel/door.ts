/**
 * The door in the wall, from the kernel's side: turns what a walled plugin declared into the same registration that the
 * recorder makes of a plugin in this process, so that nothing beyond this file knows which of the two it has. Each function
 * enters the child with plain data and brings plain data back, which is looked at before the kernel believes it.
 */
import {
  ASKING_HOOKS,
  definePlugin,
  HEARING_HOOKS,
  type Channel,
  type Context,
  type Declared,
  type Dialect,
  type Gateway,
  type Json,
  type MethodRegistry,
  type ModelPart,
  type Route,
  type StartContext,
  type Target,
  type WalledEntry,
  type WalledPlugin,
} from '@isopod/plugin-api'
import { believed, type Answers } from './door-answers.ts'
import { carryOut } from './door-ops.ts'
import { record, type Registration } from './recorder.ts'

/**
 * The registration of a plugin behind the wall. Its `stop` also ends the process.
 * @throws Error where it declared what no generation could hold; the process is ended then.
 */
export function walledContributions(walled: WalledPlugin, pluginId: string): Registration {
  const door = new Door(walled, pluginId)
  const { starts } = walled.declared
  try {
    // Replayed into the recorder, so that one set of rules admits both kinds of plugin.
    return record(
      definePlugin({
        register: (gateway) => door.tapAll(gateway),
        ...(starts && { start: (ctx: StartContext) => door.start(ctx) }),
        stop: () => door.stop(),
      }),
      pluginId,
    )
  } catch (thrown) {
    void walled.close()
    throw thrown
  }
}

type Kind = Target['kind']

class Door {
  readonly #walled: WalledPlugin
  readonly #pluginId: string
  #ended = false
  /** A plugin whose `start` never ran has nothing to undo. */
  #mayStop: boolean

  constructor(walled: WalledPlugin, pluginId: string) {
    this.#walled = walled
    this.#pluginId = pluginId
    this.#mayStop = walled.declared.stops && !walled.declared.starts
    void walled.ended.then(() => {
      this.#ended = true
    })
  }

  tapAll({ hooks }: Gateway): void {
    const { methods, routes, dialects, tools, models, channels, taps } = this.#walled.declared
    hooks.methods.tap('walled', (registry) => methods.forEach((method) => this.#method(registry, method)))
    hooks.tools.tap('walled', (registry) => {
      for (const tool of tools) registry.add({ ...tool, handle: (args, ctx) => this.#enter('tool', tool.name, [args], ctx) })
    })
    hooks.models.tap('walled', (registry) => {
      for (const model of models) registry.add({ ...model, stream: (given, ctx) => this.#model(model.name, given, ctx) })
    })
    hooks.channels.tap('walled', (registry) => {
      for (const channel of channels) registry.add(this.#channel(channel))
    })
    hooks.routes.tap('walled', (registry) => routes.forEach((route) => registry.add(this.#route(route))))
    hooks.dialects.tap('walled', (registry) => dialects.forEach((dialect) => registry.add(this.#dialect(dialect))))
    for (const tap of taps) this.#tap(hooks, tap)
  }

  async start(ctx: StartContext): Promise<void> {
    this.#mayStop = this.#walled.declared.stops
    await this.#walled.enter(this.#entry('start', '', [], ctx))
  }

  async stop(): Promise<void> {
    try {
      if (this.#mayStop && !this.#ended) await this.#walled.enter(this.#entry('stop', '', []))
    } finally {
      await this.#walled.close()
    }
  }

  #method(registry: MethodRegistry, method: Declared['methods'][number]): void {
    const { name, streams } = method
    const enter = (params: unknown, ctx: Context) => this.#enter('method', name, [params], ctx)
    const stream = (params: unknown, ctx: Context) => this.#walled.stream(this.#entry('method', name, [params], ctx))
    registry.add({ ...method, handle: streams ? stream : enter })
  }

  #model(name: string, given: unknown, ctx: Context): AsyncIterable<ModelPart> {
    // What a provider streams is trusted no further than JSON, on either side of the wall.
    return this.#walled.stream(this.#entry('model', name, [given], ctx)) as AsyncIterable<ModelPart>
  }

  #channel(channel: Declared['channels'][number]): Channel {
    const { name } = channel
    const where = `the channel ${name} of ${this.#pluginId}`
    return {
      ...channel,
      send: async (message, ctx) => believed('channel.send', await this.#enter('channel.send', name, [message], ctx), where),
      status: async (ctx) => believed('channel.status', await this.#enter('channel.status', name, [], ctx), where),
    }
  }

  #route({ decodes, encodes, ...route }: Declared['routes'][number]): Route {
    const name = `${route.verb} ${route.path}`
    return {
      ...route,
      ...(decodes && { decode: (request) => this.#spell('route.decode', name, [request]) }),
      ...(encodes && { encode: (what, state, now) => this.#spell('route.encode', name, [what, state, now]) }),
    }
  }

  #dialect(dialect: Declared['dialects'][number]): Dialect {
    const { name } = dialect
    return {
      ...dialect,
      greet: (facts) => this.#spell('dialect.greet', name, [facts]),
      decode: (frame, state) => this.#spell('dialect.decode', name, [frame, state]),
      encode: (spoken, state, now) => this.#spell('dialect.encode', name, [spoken, state, now]),
    }
  }

  #tap(hooks: Gateway['hooks'], { hook, ...options }: Declared['taps'][number]): void {
    const asks = Object.hasOwn(ASKING_HOOKS, hook)
    if (!asks && !Object.hasOwn(HEARING_HOOKS, hook)) throw new Error(`the tap \`${options.name}\` taps ${hook}, and there is no such hook`)
    const name = `${hook}/${options.name}`
    const run = async (subject: object, ctx: Context) => {
      const answer = await this.#enter('tap', name, [subject], ctx)
      return asks ? believed('tap', answer, `the tap ${this.#pluginId}/${options.name} of ${hook}`) : undefined
    }
    // One of the hooks in the two tables; they differ in their subjects, which the child is given as they are.
    hooks[hook as keyof typeof ASKING_HOOKS].tap(options, run)
  }

  /** Runs a function that takes a context. */
  #enter(kind: Kind, name: string, args: readonly unknown[], ctx: Context): Promise<Json | undefined> {
    return this.#walled.enter(this.#entry(kind, name, args, ctx))
  }

  /** Runs a pure function of a route or dialect. */
  async #spell<Name extends Kind & keyof Answers>(kind: Name, name: string, args: readonly unknown[]): Promise<Answers[Name]> {
    return believed(kind, await this.#walled.enter(this.#entry(kind, name, args)), `${kind} of ${name} of ${this.#pluginId}`)
  }

  #entry(kind: Kind, name: string, args: readonly unknown[], ctx?: Context | StartContext): WalledEntry {
    // All that handlers are given is JSON already: params that passed a schema, subjects, requests.
    const entry = { target: { kind, name }, args: args as readonly Json[] }
    if (!ctx) return entry
    const runId = 'runId' in ctx ? ctx.runId : undefined
    const context = { caller: ctx.caller, config: ctx.config, now: ctx.now(), ...(runId !== undefined && { runId }) }
    return { ...entry, context, signal: ctx.signal, host: (op, given, signal) => carryOut(ctx, op, given, signal) }
  }
}
