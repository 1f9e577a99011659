/**
 * A kernel with nothing around it: plugins are objects, the store is memory, the clock stands still. Unlike the testing
 * gateway it takes bad plugins and says what became of them.
 */
import type { Caller, Context, GatewayEvent, GatewayFacts, Json, JsonObject, Manifest, Plugin, Route, Sandbox, Schema } from '@isopod/plugin-api'
import { definePlugin, API_VERSION } from '@isopod/plugin-api'
import { TestClient, TestClock, type ClientOptions } from '@isopod/testing'
import { Call } from '../../kernel/call.ts'
import { dispatch } from '../../kernel/dispatch.ts'
import { Events, type EventSink } from '../../kernel/events.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Kernel, type ChangeReport } from '../../kernel/kernel.ts'
import type { Wanted } from '../../kernel/lifecycle/plan.ts'
import { openLog, type Log } from '../../kernel/log.ts'
import { openMemoryStore } from '../../kernel/store/memory.ts'

export interface Spec extends Partial<Plugin> {
  readonly id: string
  readonly version?: string
  readonly needs?: Readonly<Record<string, string>>
  readonly api?: string
  readonly schema?: Schema
  readonly config?: JsonObject
  readonly trust?: Wanted['trust']
  readonly builtIn?: boolean
  /** An entry module instead of the functions here. */
  readonly entry?: string
}

export interface HouseOptions {
  readonly clock?: Clock
  readonly deadlineMs?: number
  readonly overRate?: (callerId: string) => number | undefined
  readonly closing?: () => boolean
  readonly sandbox?: Sandbox
}

export const FACTS: GatewayFacts = {
  version: '0', startedAt: 0, uptimeMs: 0, port: 0, bind: '', auth: 'none', transport: 'ws', listening: false, eventLoopDelayMs: 0, troubles: [],
}

export class House {
  readonly clock: TestClock
  readonly log: Log
  readonly kernel: Kernel

  constructor(options: HouseOptions = {}) {
    this.clock = new TestClock()
    const clock = options.clock ?? this.clock
    this.log = openLog({ level: 'debug', console: false, clock })
    const store = openMemoryStore({ clock })
    this.kernel = new Kernel({
      log: this.log,
      storeOf: (id) => store.namespace(id),
      ...(options.sandbox && { sandbox: options.sandbox }),
      core: {
        clock,
        events: new Events(clock),
        closing: options.closing ?? (() => false),
        deadlineMs: () => options.deadlineMs ?? 60_000,
        overRate: options.overRate ?? (() => undefined),
        facts: () => FACTS,
      },
    })
  }

  /** Makes exactly these the plugins that are wanted. */
  want(...specs: readonly Spec[]): Promise<ChangeReport> {
    return this.kernel.apply({ plugins: specs.map(wanted), disabled: [], unreadable: [] })
  }

  client(options: ClientOptions = {}): TestClient {
    return new TestClient(this.kernel.core, options, async () => {})
  }

  /** A call as a socket makes it, kept in hand. */
  begin(method: string, params: JsonObject = {}, sink?: EventSink): { call: Call; answer: Promise<Json> } {
    const caller: Caller = { id: 'test', scopes: ['read', 'write'], origin: 'owner' }
    const call = new Call({ core: this.kernel.core, caller, method, sink })
    // What is thrown at once is a refusal like any other here.
    const answer = new Promise<Json>((resolve) => resolve(dispatch(call, params) as Json))
    answer.catch(() => {})
    return { call, answer }
  }

  inside(id: string): number {
    return this.kernel.generation.instances.get(id)?.inside ?? 0
  }

  state(id: string): string | undefined {
    return this.kernel.rows().find((row) => row.id === id)?.state
  }

  reason(id: string): string | undefined {
    return this.kernel.rows().find((row) => row.id === id)?.failed?.reason
  }

  /** Messages of the log at a level. */
  logged(level: 'error' | 'warn'): string[] {
    return this.log.recent({ level }).entries.filter((entry) => entry.level === level).map((entry) => entry.message)
  }
}

export function wanted(spec: Spec): Wanted {
  const { id, version = '1.0.0', needs = {}, api = `^${API_VERSION}`, schema, config = {}, trust = 'trusted', builtIn = true, entry } = spec
  const { register = () => {}, start, stop } = spec
  const manifest: Manifest = { id, name: id, version, entry: '', api, needs, ...(schema !== undefined && { config: schema }) }
  const plugin = definePlugin({ register, ...(start && { start }), ...(stop && { stop }) })
  return { source: { manifest, builtIn, ...(entry === undefined ? { plugin } : { entry }) }, trust, config }
}

type Handle = (params: never, ctx: Context) => unknown

/** A `register` that adds methods with the scope `read`. A name that ends in `!` is internal, in `*` internal and streams. */
export function methods(table: Readonly<Record<string, Handle>>): Plugin['register'] {
  return (gateway) => {
    gateway.hooks.methods.tap('methods', (into) => {
      for (const [key, handle] of Object.entries(table)) {
        const name = key.replace(/[!*]$/, '')
        const streams = key.endsWith('*')
        into.add({ name, scope: 'read', ...(key !== name && { internal: true }), ...(streams && { streams }), handle } as never)
      }
    })
  }
}

/** Several `register`s as one. */
export function all(...registers: readonly Plugin['register'][]): Plugin['register'] {
  return (gateway) => {
    for (const register of registers) register(gateway)
  }
}

/** Something to wait for that the test lets happen. */
export function gate<Value = void>() {
  return Promise.withResolvers<Value>()
}

/** Lets everything that is ready happen. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

export class Ear implements EventSink {
  readonly heard: GatewayEvent[] = []

  hear(event: GatewayEvent): void {
    this.heard.push(event)
  }

  get seqs(): number[] {
    return this.heard.map(({ seq }) => seq)
  }
}

/** The refusal something rejects with. */
export async function refusal(work: Promise<unknown>): Promise<{ code: string; message: string; retryable?: boolean; param?: string }> {
  try {
    await work
  } catch (thrown) {
    return thrown as { code: string; message: string }
  }
  throw new Error('it was not refused')
}

/** Serves one row, onto the good plugin's method unless said. */
export const route = (path: string, call = 'good.say', verb: Route['verb'] = 'GET'): Plugin['register'] => (gateway) => gateway.hooks.routes.tap('r', (into) => into.add({ verb, path, call }))

/** Offers one tool that does nothing. */
export const tool = (name: string): Plugin['register'] => (gateway) => gateway.hooks.tools.tap('t', (into) => into.add({ name, description: '', effects: [], handle: () => 1 }))
