/**
 * A gateway small enough to hold in one hand: the plugin's methods over a store in memory, with a clock that stands still
 * until it is moved, and a disk that can be told to fail.
 */
import {
  RpcError,
  type Caller,
  type Context,
  type Document,
  type Entry,
  type GatewayHooks,
  type Json,
  type JsonObject,
  type ListQuery,
  type Message,
  type Method,
  type Plugin,
  type ReadQuery,
  type Store,
  type Write,
} from '@isopod/plugin-api'
import type { SessionDetail, SessionRow } from '../contract.ts'

export class MemoryStore implements Store {
  readonly documents = new Map<string, Map<string, { value: string; version: number }>>()
  readonly streams = new Map<string, { at: number; value: string }[]>()
  /** Asked before every operation; what it throws is what the operation rejects with, and nothing is written. */
  trouble: (operation: 'get' | 'list' | 'read' | 'write') => void = () => {}
  now = () => 0

  async get<Value extends Json>(collection: string, key: string): Promise<Document<Value> | undefined> {
    await this.#turn('get')
    const found = this.documents.get(collection)?.get(key)
    return found && { key, value: JSON.parse(found.value) as Value, version: found.version }
  }

  async list<Value extends Json>(collection: string, { prefix = '', after = '', limit = 100 }: ListQuery = {}): Promise<Document<Value>[]> {
    await this.#turn('list')
    const all = [...(this.documents.get(collection) ?? [])].filter(([key]) => key.startsWith(prefix) && key > after)
    const page = all.toSorted(([one], [other]) => (one < other ? -1 : 1)).slice(0, limit)
    return page.map(([key, { value, version }]) => ({ key, value: JSON.parse(value) as Value, version }))
  }

  async read<Value extends Json>(stream: string, { after = 0, before = Infinity, newest = false, limit = 100 }: ReadQuery = {}): Promise<Entry<Value>[]> {
    await this.#turn('read')
    const all = (this.streams.get(stream) ?? []).map(({ at, value }, index) => ({ seq: index + 1, at, value }))
    const span = all.filter(({ seq }) => seq > after && seq < before)
    const page = newest ? span.slice(-limit) : span.slice(0, limit)
    if (page.reduce((sum, { value }) => sum + value.length, 0) > 64 * 1024 * 1024) throw new RpcError('payload_too_large', 'Ask for fewer')
    return page.map((entry) => ({ ...entry, value: JSON.parse(entry.value) as Value }))
  }

  async write(writes: readonly Write[]): Promise<number[]> {
    await this.#turn('write')
    for (const write of writes) this.#check(write)
    return writes.map((write) => this.#apply(write))
  }

  /** Lets others go first, as a real store does. */
  async #turn(operation: 'get' | 'list' | 'read' | 'write'): Promise<void> {
    await Promise.resolve()
    this.trouble(operation)
  }

  #check(write: Write): void {
    if (!('put' in write || 'remove' in write) || write.ifVersion === undefined) return
    const version = this.documents.get('put' in write ? write.put : write.remove)?.get(write.key)?.version ?? 0
    if (version !== write.ifVersion) throw new RpcError('conflict', `${write.key} is at version ${version}`)
  }

  #apply(write: Write): number {
    if ('put' in write) {
      if (write.key.length > 512) throw new RpcError('invalid_request', 'The key is too long')
      const collection = this.documents.get(write.put) ?? new Map()
      this.documents.set(write.put, collection)
      const version = (collection.get(write.key)?.version ?? 0) + 1
      collection.set(write.key, { value: JSON.stringify(write.value), version })
      return version
    }
    if ('append' in write) {
      const stream = this.streams.get(write.append) ?? []
      this.streams.set(write.append, stream)
      return stream.push({ at: this.now(), value: JSON.stringify(write.value) })
    }
    if ('remove' in write) this.documents.get(write.remove)?.delete(write.key)
    else this.streams.delete(write.drop)
    return 0
  }
}

export const OWNER: Caller = { id: 'token:owner', scopes: ['read', 'write'], origin: 'owner' }

/** What a method may answer. */
interface Answered extends SessionDetail {
  readonly sessions: readonly SessionRow[]
  readonly next: string | undefined
  readonly history: readonly Message[]
  readonly status: string
  readonly response: string
  readonly error: object
}

export interface ScriptedGateway {
  readonly store: MemoryStore
  readonly events: JsonObject[]
  /** Moves the clock, in milliseconds. */
  pass(ms: number): void
  call(method: string, params: object, caller?: Caller): Promise<Answered>
  /** The process is killed and another one started over the same store; `start` has run. */
  restart(): Promise<void>
  /** The plugin's instance is replaced within the same process; `start` has run. */
  swap(): Promise<void>
}

export function scriptedGateway(plugin: Plugin): ScriptedGateway {
  const store = new MemoryStore()
  const events: JsonObject[] = []
  let now = Date.UTC(2024, 1, 14)
  let startedAt = now
  let ids = 0
  store.now = () => now
  const context = (caller: Caller) => ({
    caller,
    store,
    signal: new AbortController().signal,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    now: () => now,
    id: () => `id-${String((ids += 1)).padStart(6, '0')}`,
    emit: (name: string, data: JsonObject) => events.push({ name, ...data }),
    gateway: async () => ({ startedAt }),
  }) as unknown as Context
  const swap = async () => plugin.start?.(context({ id: 'plugin:sessions', scopes: ['read', 'write'], origin: 'automation' }))
  return {
    store,
    events,
    pass: (ms) => (now += ms),
    async call(name, params, caller = OWNER) {
      // What the plugin answers is what the tests are to find out.
      return (await methodsOf(plugin).get(name)?.handle(structuredClone(params) as never, context(caller))) as Answered
    },
    async restart() {
      now += 1_000
      startedAt = now
      await swap()
    },
    swap,
  }
}

/** Registered anew for every call: nothing may live in the plugin between two of them. */
function methodsOf(plugin: Plugin): Map<string, Method> {
  const methods = new Map<string, Method>()
  const registry = { add: (method: Method) => methods.set(method.name, method) }
  const hooks = { methods: { tap: (_: string, contribute: (to: typeof registry) => void) => contribute(registry) } }
  plugin.register({ hooks: hooks as unknown as GatewayHooks })
  return methods
}

export const user = (text: string) => ({ role: 'user', parts: [{ type: 'text', text }] })
export const assistant = (text: string) => ({ role: 'assistant', parts: [{ type: 'text', text }] })

/** A refusal with this code, for `assert.rejects`. */
export const refused = (code: string, facts: object = {}) => ({ name: 'RpcError', code, ...facts })
