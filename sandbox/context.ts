/**
 * The context a walled handler is given: every member of the plugin API's, carried out on the other side of the wall. Data
 * comes with the entry; whatever acts is an op. It needs nothing of Node, so it can stand in an isolate as it is.
 */
import {
  jsonCopy,
  type CallOptions,
  type ChannelReport,
  type Context,
  type GatewayFacts,
  type Json,
  type JsonObject,
  type Log,
  type Runs,
  type SentMessage,
  type Store,
} from '@isopod/plugin-api'
import type { Bridge } from './bridge.ts'
import type { Enter } from './messages.ts'

export interface ContextParts {
  readonly entry: number
  readonly given: NonNullable<Enter['context']>
  readonly signal: AbortSignal
  readonly bridge: Bridge
  /** `weather 1.4.0`, for messages. */
  readonly label: string
}

export function contextFor(parts: ContextParts): Context {
  const { given, signal } = parts
  const beganAt = performance.now()
  const ops = new Ops(parts)
  let runId = given.runId
  const runs = runsOver(ops, (id) => {
    runId = id
  })
  return Object.freeze({
    caller: given.caller,
    config: given.config,
    signal,
    log: logOver(ops),
    store: storeOver(ops),
    runs,
    get runId() {
      return runId
    },
    now: () => Math.trunc(given.now + performance.now() - beganAt),
    id: () => crypto.randomUUID(),
    ...callsOver(ops),
    ...hooksOver(ops),
    emit: (name, data, options = {}) => ops.tell('emit', [name, ops.copied(data, `the event ${name}`), { ...options }]),
    gateway: async () => (await ops.ask('gateway', [])) as unknown as GatewayFacts,
    reveal: async (reference) => (await ops.ask('reveal', [ops.copied(reference, 'the reference')])) as string,
  } satisfies Context)
}

/** The ops of one entry. */
class Ops {
  readonly #parts: ContextParts

  constructor(parts: ContextParts) {
    this.#parts = parts
  }

  ask(name: string, args: readonly (Json | undefined)[], signal?: AbortSignal): Promise<Json | undefined> {
    return this.#parts.bridge.ask({ entry: this.#parts.entry, name, args, signal })
  }

  stream(name: string, args: readonly (Json | undefined)[], signal?: AbortSignal): AsyncIterable<Json> {
    return this.#parts.bridge.stream({ entry: this.#parts.entry, name, args, signal })
  }

  tell(name: string, args: readonly (Json | undefined)[]): void {
    this.#parts.bridge.tell({ entry: this.#parts.entry, name, args })
  }

  /** What is handed over, checked here so that the author's own stack names the line. */
  copied(value: unknown, what: string): Json {
    return jsonCopy(value, `${what}, from ${this.#parts.label},`, 'held')
  }
}

type Calls = Pick<Context, 'call' | 'stream' | 'spawn' | 'useTool' | 'useModel' | 'sendThrough' | 'channelReport' | 'catalog'>

function callsOver(ops: Ops): Calls {
  const params = (method: string, value: JsonObject = {}) => ops.copied(value, `the params of ${method}`)
  return {
    call: async (method, value, options) => (await ops.ask('call', [method, params(method, value), wish(options)], options?.signal)) ?? null,
    stream: (method, value, options) => ops.stream('stream', [method, params(method, value), wish(options)], options?.signal),
    spawn: async (method, value, about, options) =>
      (await ops.ask('spawn', [method, params(method, value), ops.copied(about, 'what a run is about'), wish(options)])) as string,
    useTool: async (name, args, options) =>
      (await ops.ask('useTool', [name, ops.copied(args, `the arguments of ${name}`), wish(options)], options?.signal)) ?? null,
    useModel: (name, request, options) =>
      ops.stream('useModel', [name, ops.copied(request, `the request to ${name}`), wish(options)], options?.signal),
    sendThrough: async (name, message, options) =>
      // The gateway has looked at what the channel answered.
      (await ops.ask('sendThrough', [name, ops.copied(message, `the message to ${name}`), wish(options)], options?.signal)) as unknown as SentMessage,
    channelReport: async (name, options) => (await ops.ask('channelReport', [name, wish(options)], options?.signal)) as unknown as ChannelReport,
    catalog: async (kind) => (await ops.ask('catalog', [kind])) as readonly JsonObject[],
  }
}

/** The options that are data; the signal crosses as a message of its own. */
function wish({ signal: _signal, ...options }: CallOptions = {}): JsonObject {
  return { ...options }
}

function hooksOver(ops: Ops): Pick<Context, 'ask' | 'tell'> {
  return {
    // A verdict has the shape of the subject that was asked about, which the gateway kept.
    ask: async (hook, subject) => (await ops.ask('ask', [hook, ops.copied(subject, hook)])) as never,
    tell: (hook, fact) => ops.tell('tell', [hook, ops.copied(fact, hook)]),
  }
}

function storeOver(ops: Ops): Store {
  // What the store answers is what its port says; the kernel's driver is on the other side.
  return Object.freeze({
    get: async (collection, key) => (await ops.ask('store.get', [collection, key])) as never,
    list: async (collection, query = {}) => (await ops.ask('store.list', [collection, ops.copied(query, 'a query')])) as never,
    read: async (stream, query = {}) => (await ops.ask('store.read', [stream, ops.copied(query, 'a query')])) as never,
    write: async (writes) => (await ops.ask('store.write', [ops.copied(writes, 'a write')])) as never,
  } satisfies Store)
}

function runsOver(ops: Ops, onOpen: (runId: string) => void): Runs {
  return Object.freeze({
    open: async (about) => {
      const runId = (await ops.ask('runs.open', [ops.copied(about, 'what a run is about')])) as string
      onOpen(runId)
      return runId
    },
    abort: async (runId) => (await ops.ask('runs.abort', [runId])) as boolean,
    state: async (runId) => (await ops.ask('runs.state', [runId])) as never,
    follow: async (runId, after) => (await ops.ask('runs.follow', [runId, after])) as never,
  } satisfies Runs)
}

function logOver(ops: Ops): Log {
  const line = (level: keyof Log) => (message: string, facts?: object) => {
    ops.tell('log', [level, message.slice(0, LINE), facts === undefined ? {} : told(facts)])
  }
  return Object.freeze({ debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') })
}

/** The longest text of a log line, in characters; what is longer helps nobody and costs everybody. */
const LINE = 8_192

/** A log line is never refused for what is in it: errors are told as their texts, and what is no JSON by its name. */
function told(facts: object): Json {
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, toldValue(value)]))
}

function toldValue(value: unknown): Json {
  if (value instanceof Error) return { name: value.name, message: value.message.slice(0, LINE), stack: String(value.stack).slice(0, LINE) }
  try {
    return jsonCopy(value, '')
  } catch {
    return String(value).slice(0, LINE)
  }
}
