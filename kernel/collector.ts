/**
 * What a generation is assembled into: every contribution under its name, and every conflict in a sentence that names both
 * plugins. It refuses nothing by itself; whoever assembles decides what a problem means.
 */
import type { Channel, Dialect, JsonObject, Method, ModelProvider, Route, Tool } from '@isopod/plugin-api'
import type { Instance } from './instance.ts'

/** A contribution and the instance it belongs to. */
export interface Bound<Item> {
  readonly item: Item
  readonly instance: Instance
}

/** Why an assembly cannot stand. */
export interface Problem {
  readonly reason: string
  /** Who is part of it: one that lacks something, or two that want the same, in the order of their ids. */
  readonly between: readonly [Instance, ...Instance[]]
}

export class Collector {
  readonly methods = new Map<string, Bound<Method>>()
  readonly routes = new Map<string, Bound<Route>>()
  readonly dialects = new Map<string, Bound<Dialect>>()
  readonly tools = new Map<string, Bound<Tool>>()
  readonly models = new Map<string, Bound<ModelProvider>>()
  readonly channels = new Map<string, Bound<Channel>>()
  readonly problems: Problem[] = []
  readonly #nouns = new Map<string, Instance>()

  addMethod(item: Method, instance: Instance): void {
    this.#add(this.methods, item.name, { item, instance }, 'offer the method')
    this.#serve(item.name.slice(0, item.name.indexOf('.')), instance)
  }

  addRoute(declared: Route, instance: Instance): void {
    const item = mounted(declared, instance.config)
    this.#add(this.routes, routeKey(item), { item, instance }, 'serve')
  }

  addDialect(item: Dialect, instance: Instance): void {
    this.#add(this.dialects, item.name, { item, instance }, 'bring the dialect')
  }

  addTool(item: Tool, instance: Instance): void {
    this.#add(this.tools, item.name, { item, instance }, 'offer the tool')
  }

  addModel(item: ModelProvider, instance: Instance): void {
    this.#add(this.models, item.name, { item, instance }, 'serve the model API')
  }

  addChannel(item: Channel, instance: Instance): void {
    this.#add(this.channels, item.name, { item, instance }, 'bring the channel')
  }

  /**
   * A noun is served by one plugin: its handlers may ring the noun's hooks and run its contributions, so a second one could
   * run every tool unwatched. Only the kernel's own methods stand beside a plugin's.
   */
  #serve(noun: string, instance: Instance): void {
    if (instance.id === 'kernel') return
    const holder = this.#nouns.get(noun)
    if (!holder) this.#nouns.set(noun, instance)
    else if (holder !== instance) {
      const reason = `\`${holder.label}\` and \`${instance.label}\` both serve the noun ${noun}`
      this.problems.push({ reason, between: [holder, instance] })
    }
  }

  #add<Item>(into: Map<string, Bound<Item>>, name: string, bound: Bound<Item>, verb: string): void {
    const holder = into.get(name)
    if (!holder) {
      into.set(name, bound)
      return
    }
    const reason = `\`${holder.instance.label}\` and \`${bound.instance.label}\` both ${verb} ${name}`
    this.problems.push({ reason, between: [holder.instance, bound.instance] })
  }
}

/** The row where the plugin's config wants it. A config that says nothing leaves it where the row says. */
function mounted(route: Route, config: JsonObject): Route {
  const at = route.mount === undefined ? undefined : config[route.mount]
  if (typeof at !== 'string') return route
  const [, , ...rest] = route.path.split('/')
  return Object.freeze({ ...route, path: [at.replace(/\/+$/, ''), ...rest].join('/') })
}

/** Two rows conflict when no request could tell them apart: the names of their segments do not count. */
function routeKey(route: Route): string {
  return `${route.verb} ${route.path.replaceAll(/\{[^}+]*(\+?)\}/g, '{$1}')}`
}
