/**
 * One call, from its arrival to its end: who asks, on which generation, and what stops it. It is also what the handler is
 * given as its context, so all a plugin can do to the rest of the gateway is in this file. Plugin code is entered here and
 * nowhere else; whatever it throws is wrapped once, with its name.
 */
import {
  ASKING_HOOKS,
  HEARING_HOOKS,
  isRpcError,
  jsonCopy,
  RpcError,
  type AskingHooks,
  type CallOptions,
  type Caller,
  type Context,
  type GatewayFacts,
  type HearingHooks,
  type Json,
  type JsonObject,
  type Log,
  type Method,
  type Runs,
  type Store,
  type Verdict,
} from '@isopod/plugin-api'
import type { Bound } from './collector.ts'
import type { Core } from './core.ts'
import { dispatch } from './dispatch.ts'
import type { EventSink } from './events.ts'
import type { Generation } from './generation.ts'
import type { Instance } from './instance.ts'
import { CALL_DEPTH, CANCEL_GRACE_MS, OUTLIVING_MS } from './limits.ts'
import { lowered } from './origin-rank.ts'
import type { RecordedTap } from './recorder.ts'
import { Stopping } from './stopping.ts'
import { check } from './validators.ts'

/** What a call begins with. */
export interface CallParts {
  readonly core: Core
  readonly caller: Caller | undefined
  readonly method: string
  /** The client's ear, where the client can hear. */
  readonly sink?: EventSink | undefined
  /** The generation to stay on; the current one unless said. A function is asked each time (for a plugin's own context). */
  readonly generation?: Generation | (() => Generation)
  /** The call inside whose handler this one is made. */
  readonly parent?: Call
  readonly deadlineMs?: number
}

export class Call implements Context {
  readonly core: Core
  readonly method: string
  /** Undefined only until the ladder has asked for it: inside a handler there is always a caller. */
  readonly caller: Caller
  readonly sink: EventSink | undefined
  readonly isInner: boolean
  readonly #generation: Generation | (() => Generation)
  readonly #depth: number
  readonly #deadlineMs: number | undefined
  readonly #stopping = new Stopping()
  #instance: Instance | undefined
  #serving = ''
  #runId: string | undefined

  constructor(parts: CallParts) {
    this.core = parts.core
    this.method = parts.method
    // The ladder refuses a call without a caller before anything reads this.
    this.caller = parts.caller as Caller
    this.sink = parts.sink
    this.isInner = parts.parent !== undefined
    this.#generation = parts.generation ?? parts.parent?.generation ?? parts.core.current()
    this.#depth = parts.parent ? parts.parent.#depth + 1 : 1
    this.#deadlineMs = parts.deadlineMs
    if (this.#depth > CALL_DEPTH) throw new RpcError('internal', `${parts.method} is called ${CALL_DEPTH} deep: do plugins call each other in circles?`)
  }

  // What stops it

  get signal(): AbortSignal {
    return this.#stopping.signal
  }

  /** Stops the call: its signal aborts, its inner calls stop, and its caller is answered within `CANCEL_GRACE_MS`. */
  cancel(reason: RpcError): void {
    this.#stopping.stop(reason)
  }

  /** The client has gone. A run goes on without it; anything else has nobody left to answer. */
  abandon(): void {
    if (this.#runId === undefined) this.cancel(new RpcError('cancelled', 'The client went away'))
  }

  // How plugin code is entered

  /** Runs a method's handler. Only the ladder calls this. */
  enter(bound: Bound<Method>, params: JsonObject): unknown {
    const { item: method, instance } = bound
    this.#serving = method.name.slice(0, method.name.indexOf('.'))
    const startedAt = this.core.clock.elapsed()
    const settled = (refusal?: RpcError) => this.#settled(startedAt, refusal)
    const deadlineMs = this.#deadlineMs ?? method.deadlineMs ?? this.core.deadlineMs()
    return this.#inside(instance, `${method.name} of ${instance.label}`, deadlineMs, () => method.handle(params as never, this), method.streams === true, settled)
  }

  /** Runs one tap of a hook, in a context of its own plugin. */
  enterTap(instance: Instance, tap: RecordedTap, subject: object): unknown {
    const inner = this.#inner({ method: tap.hook })
    return inner.#inside(instance, `the tap ${tap.name} of ${tap.hook}`, tap.deadlineMs, () => tap.run(subject as never, inner), false)
  }

  /** Runs `start` or another piece of a plugin's own life in this call, which belongs to the plugin. */
  enterLife<Answer>(instance: Instance, what: string, deadlineMs: number, run: () => Answer): unknown {
    return this.#inside(instance, `${what} of ${instance.label}`, deadlineMs, run, false)
  }

  /** Binds this call to a plugin without entering it: for the context that `start` keeps. */
  belongTo(instance: Instance): this {
    this.#instance = instance
    return this
  }

  #inside(instance: Instance, where: string, deadlineMs: number, run: () => unknown, streams: boolean, settled?: (refusal?: RpcError) => void): unknown {
    this.#instance = instance
    instance.enter(this)
    const leave = (refusal?: RpcError) => {
      this.#stopping.settle()
      if (this.#runId !== undefined) this.core.events.runs.end(this.#runId)
      instance.leave(this)
      settled?.(refusal)
    }
    const fail = (thrown: unknown): RpcError => this.#blamed(thrown, where, instance)
    let answer: unknown
    try {
      answer = run()
      if (!isPromise(answer) && !streams) {
        const copy = jsonCopy(answer, where)
        leave()
        return copy
      }
    } catch (thrown) {
      const refusal = fail(thrown)
      leave(refusal)
      throw refusal
    }
    if (deadlineMs > 0) this.#stopping.deadline(this.core.clock, deadlineMs, `${where} took longer than ${deadlineMs} ms`)
    if (streams) return this.#flow(answer as AsyncIterable<Json>, where, fail, leave)
    const finished = (answer as Promise<unknown>).then(
      (value) => {
        const copy = jsonCopy(value, where)
        leave()
        return copy
      },
    ).catch((thrown: unknown) => {
      const refusal = fail(thrown)
      leave(refusal)
      throw refusal
    })
    return this.#stopping.race(finished, this.core.clock, CANCEL_GRACE_MS)
  }

  /** Hands a stream on item by item. Leaving it early, or this call stopping, ends the plugin's iterator. */
  async *#flow(items: AsyncIterable<Json>, where: string, fail: (thrown: unknown) => RpcError, leave: (refusal?: RpcError) => void): AsyncGenerator<Json> {
    let refusal: RpcError | undefined
    let done = false
    const iterator = items[Symbol.asyncIterator]()
    try {
      for (;;) {
        const next = await this.#stopping.race(iterator.next(), this.core.clock, 0)
        done = next.done === true
        if (done) return
        yield jsonCopy(next.value, where)
      }
    } catch (thrown) {
      refusal = fail(thrown)
      throw refusal
    } finally {
      if (!done) {
        this.cancel(new RpcError('cancelled', 'Nobody reads on'))
        // Not awaited: an iterator that is stuck must not hold its reader.
        Promise.resolve(iterator.return?.()).catch(() => {})
      }
      leave(refusal)
    }
  }

  /** A refusal as it is; anything else is a bug, logged with its cause under the plugin's name. */
  #blamed(thrown: unknown, where: string, instance: Instance): RpcError {
    if (isRpcError(thrown)) {
      if (thrown.code === 'internal') instance.log.error(`${where} failed: ${thrown.message}`, { err: thrown })
      return thrown
    }
    if (this.#stopping.reason) return this.#stopping.reason
    instance.log.error(`${where} failed`, { err: thrown })
    return new RpcError('internal', 'Internal error', { cause: thrown })
  }

  #settled(startedAt: number, refusal: RpcError | undefined): void {
    const { callSettled } = this.generation.hooks.hearing
    if (!callSettled.isUsed()) return
    const durationMs = this.core.clock.elapsed() - startedAt
    const fact = Object.freeze({ method: this.method, caller: this.caller, durationMs, ...(refusal && { refusal: refusal.code }) })
    void callSettled.promise(fact, this)
  }

  // What the handler is given

  get generation(): Generation {
    return typeof this.#generation === 'function' ? this.#generation() : this.#generation
  }

  get config(): JsonObject {
    return this.#home.config
  }

  get log(): Log {
    return this.#home.log
  }

  get store(): Store {
    return this.#home.store
  }

  get runId(): string | undefined {
    return this.#runId
  }

  now(): number {
    return this.core.clock.now()
  }

  id(): string {
    return this.core.clock.id()
  }

  async call(method: string, params: JsonObject = {}, options: CallOptions = {}): Promise<Json> {
    const inner = this.#inner({ method, ...options })
    return (await dispatch(inner, this.#copied(params, `the params of ${method}`))) as Json
  }

  async *stream(method: string, params: JsonObject = {}, options: CallOptions = {}): AsyncGenerator<Json> {
    const inner = this.#inner({ method, ...options })
    const items = await dispatch(inner, this.#copied(params, `the params of ${method}`))
    if (!isStream(items)) throw new RpcError('internal', `${method} does not stream`)
    yield* items
  }

  async spawn(method: string, params: JsonObject, about: JsonObject): Promise<string> {
    const { core, caller, sink, generation } = this
    const spawned = new Call({ core, caller, method, sink, generation, parent: this })
    const runId = spawned.#open(this.#copied(about, 'what a run is about'))
    try {
      const running = dispatch(spawned, this.#copied(params, `the params of ${method}`))
      // Its events tell how it went; the answer itself has nobody waiting for it.
      if (isPromise(running)) running.catch(() => {})
    } catch (refusal) {
      core.events.runs.end(runId)
      throw refusal
    }
    return runId
  }

  emit(name: string, data: JsonObject, options: { readonly join?: string } = {}): void {
    this.core.events.tell(name, this.#copied(data, `the event ${name}`), options.join)
  }

  get runs(): Runs {
    const { runs } = this.core.events
    return {
      open: async (about) => this.#runId ?? this.#open(this.#copied(about, 'what a run is about')),
      abort: async (runId) => runs.abort(runId, this.caller),
      state: async (runId) => runs.state(runId, this.caller),
      follow: async (runId, after) => runs.follow(runId, after, this.caller, this.sink),
    }
  }

  async ask<Name extends keyof AskingHooks>(hook: Name, subject: AskingHooks[Name]): Promise<Verdict<AskingHooks[Name]>> {
    this.#mustServe(ASKING_HOOKS[hook], `ring ${hook}`)
    return this.ring(hook, subject)
  }

  tell<Name extends keyof HearingHooks>(hook: Name, fact: HearingHooks[Name]): void {
    this.#mustServe(HEARING_HOOKS[hook], `ring ${hook}`)
    void this.generation.hooks.hearing[hook].promise(this.#copied(fact, hook), this)
  }

  async catalog(kind: 'tools' | 'models'): Promise<readonly JsonObject[]> {
    this.#mustServe(kind === 'tools' ? 'tool' : 'model', `read the catalog of ${kind}`)
    // A declaration is plain data but for its functions, which are left out here.
    const declared = [...this.generation[kind].values()].map(({ item }) => Object.fromEntries(Object.entries(item).filter(([, value]) => typeof value !== 'function')))
    return jsonCopy(declared, `the catalog of ${kind}`) as unknown as readonly JsonObject[]
  }

  async useTool(name: string, args: JsonObject, options: CallOptions = {}): Promise<Json> {
    this.#mustServe('tool', 'run a tool')
    const bound = this.generation.tools.get(name)
    if (!bound) throw new RpcError('not_found', `There is no tool ${name}`, { param: 'tool' })
    const given = this.#copied(args, `the arguments of ${name}`)
    const misfit = check(bound.item.params, given)
    if (misfit) throw new RpcError('invalid_request', `${name}: ${misfit.message}`, misfit.param === undefined ? {} : { param: misfit.param })
    const inner = this.#inner({ method: `tool ${name}`, ...options })
    return (await inner.#inside(bound.instance, `the tool ${name} of ${bound.instance.label}`, this.core.deadlineMs(), () => bound.item.handle(given as never, inner), false)) as Json
  }

  useModel(name: string, request: JsonObject, options: CallOptions = {}): AsyncIterable<Json> {
    this.#mustServe('model', 'use a model')
    const bound = this.generation.models.get(name)
    if (!bound) throw new RpcError('not_found', `No plugin serves the model API ${name}`)
    const given = this.#copied(request, `the request to ${name}`)
    const inner = this.#inner({ method: `model ${name}`, ...options })
    return inner.#inside(bound.instance, `the model API ${name} of ${bound.instance.label}`, 0, () => bound.item.stream(given as never, inner), true) as AsyncIterable<Json>
  }

  async gateway(): Promise<GatewayFacts> {
    return this.core.facts()
  }

  async reveal(reference: Json): Promise<string> {
    const instance = this.#home
    if (instance.trust === 'walled') throw new RpcError('forbidden', 'Secrets do not cross the wall')
    const name = typeof reference === 'object' && reference !== null ? (reference as JsonObject)['secret'] : undefined
    const text = typeof name === 'string' ? instance.secrets.get(name) : undefined
    if (text === undefined) throw new RpcError('not_found', `${instance.label} has no such secret in its config`)
    return text
  }

  // What those are made of

  /** Rings a hook without asking whose it is: for the kernel's own. */
  async ring<Name extends keyof AskingHooks>(hook: Name, subject: AskingHooks[Name]): Promise<Verdict<AskingHooks[Name]>> {
    const tapped = this.generation.hooks.asking[hook]
    if (!tapped.isUsed()) return { subject }
    const question = await tapped.promise({ subject: this.#copied(subject, hook) }, this)
    // The waterfall keeps the subject's own shape; a change was merged into it.
    return question.by === undefined ? { subject: question.subject as AskingHooks[Name] } : { refused: question.refused ?? '', by: question.by }
  }

  get #home(): Instance {
    if (!this.#instance) throw new RpcError('internal', `${this.method} has not been entered`)
    return this.#instance
  }

  #mustServe(noun: string, what: string): void {
    if (this.#serving !== noun) throw new RpcError('forbidden', `Only a handler of \`${noun}.*\` may ${what}`)
  }

  #copied<Value extends object>(value: Value, what: string): Value {
    return jsonCopy(value, this.#instance ? `${what}, from ${this.#instance.label},` : what) as Value
  }

  #open(about: JsonObject): string {
    this.#runId = this.core.events.runs.begin(this.caller, about, () => this.cancel(new RpcError('cancelled', 'The run was aborted')), this.sink)
    return this.#runId
  }

  #inner({ method, origin, signal, outliving }: { readonly method: string } & CallOptions): Call {
    const { core, sink } = this
    const caller = origin === undefined ? this.caller : lowered(this.caller, origin)
    const inner = new Call({ core, caller, method, sink, parent: this, ...(outliving && { deadlineMs: OUTLIVING_MS }) })
    if (!outliving) this.#stopping.alsoStops(inner.#stopping)
    if (signal) inner.#stopping.follow(signal)
    return inner
  }
}

function isPromise(value: unknown): value is Promise<unknown> {
  return value instanceof Promise || (typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function')
}

function isStream(value: unknown): value is AsyncIterable<Json> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}
