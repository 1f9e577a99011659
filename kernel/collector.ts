/**
 * What a generation is assembled into: every contribution under its name, and every conflict in a sentence that names both
 * plugins. It refuses nothing by itself; whoever assembles decides what a problem means.
 */
import type { Dialect, Method, ModelProvider, Route, Tool } from '@isopod/plugin-api'
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
  readonly problems: Problem[] = []

  addMethod(item: Method, instance: Instance): void {
    this.#add(this.methods, item.name, { item, instance }, 'offer the method')
  }

  addRoute(item: Route, instance: Instance): void {
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

/** Two rows conflict when no request could tell them apart: the names of their segments do not count. */
function routeKey(route: Route): string {
  return `${route.verb} ${route.path.replaceAll(/\{[^}+]*(\+?)\}/g, '{$1}')}`
}
