/**
 * One call, from its arrival to its end: who asks, on which generation, and what stops it. Plugin code is entered here and
 * nowhere else; whatever it throws is wrapped once, with its name. What a handler may do meanwhile is its context's.
 */
import {
  jsonCopy,
  RpcError,
  type AskingHooks,
  type CallOptions,
  type Caller,
  type Channel,
  type Context,
  type Json,
  type JsonObject,
  type Method,
  type ModelProvider,
  type OutgoingMessage,
  type SpawnOptions,
  type Tool,
  type Verdict,
} from '@isopod/plugin-api'
import { refusalFrom } from './blame.ts'
import { CallContext } from './call-context.ts'
import type { Bound } from './collector.ts'
import type { Core } from './core.ts'
import type { EventSink } from './events.ts'
import { flow } from './flow.ts'
import type { Generation } from './generation.ts'
import type { Instance } from './instance.ts'
import { CALL_DEPTH, CANCEL_GRACE_MS, CHANNEL_STATUS_MS, OUTLIVING_MS } from './limits.ts'
import { lowered } from './origin-rank.ts'
import type { RecordedTap } from './recorder.ts'
import { Stopping } from './stopping.ts'

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
  /** It was held to a rate of its own where it came in, as an HTTP request is. */
  readonly isCounted?: boolean
  /** The plugin whose row led here. Its own internal methods are within reach. */
  readonly rowOf?: Instance
}

export class Call {
  readonly core: Core
  readonly method: string
  /** Undefined only until the ladder has asked for it: inside a handler there is always a caller. */
  readonly caller: Caller
  readonly sink: EventSink | undefined
  readonly isInner: boolean
  readonly isCounted: boolean
  readonly rowOf: Instance | undefined
  /** Called when the ladder has let the call through, just before its handler runs. */
  onEntry: (() => void) | undefined
  /** Called when this call has become a run. */
  onRun: (() => void) | undefined
  readonly #generation: Generation | (() => Generation)
  readonly #depth: number
  readonly #deadlineMs: number | undefined
  /** In milliseconds of `Clock.elapsed`. A deadline counts from here. */
  readonly arrivedAt: number
  readonly #stopping = new Stopping()
  /** Whose code made this call. */
  readonly #maker: Instance | undefined
  #instance: Instance | undefined
  #entered: Generation | undefined
  /** Where it stands among the calls inside that generation, and inside the instance. */
  #place = 0
  #seat = 0
  /** The method whose handler runs; empty where it is none's. */
  #handling = ''
  #isLife = false
  #runId: string | undefined

  /** @throws RpcError where plugins call each other in circles. */
  constructor(parts: CallParts) {
    const { core, method, parent } = parts
    this.core = core
    this.method = method
    // The ladder refuses a call without a caller before anything reads this.
    this.caller = parts.caller as Caller
    this.sink = parts.sink
    this.isInner = parent !== undefined
    this.isCounted = parts.isCounted === true
    this.rowOf = parts.rowOf
    this.onEntry = undefined
    this.onRun = undefined
    this.#generation = parts.generation ?? parent?.generation ?? core.current()
    this.#depth = parent ? parent.#depth + 1 : 1
    this.#deadlineMs = parts.deadlineMs
    this.#maker = parent ? parent.#instance : undefined
    this.arrivedAt = core.stalls.sign(this.#maker)
    if (this.#depth > CALL_DEPTH) {
      throw new RpcError('internal', `${method} is called ${CALL_DEPTH} deep: do plugins call each other in circles?`)
    }
  }

  get generation(): Generation {
    return typeof this.#generation === 'function' ? this.#generation() : this.#generation
  }

  /** The plugin whose code this call is in. */
  get instance(): Instance {
    if (!this.#instance) throw new RpcError('internal', `${this.method} has not been entered`)
    return this.#instance
  }

  /** The noun of the method whose handler runs; empty in a tap, a tool or a plugin's own life. */
  get noun(): string {
    return this.#handling.slice(0, this.#handling.indexOf('.'))
  }

  get runId(): string | undefined {
    return this.#runId
  }

  // What stops it

  get signal(): AbortSignal {
    return this.#stopping.signal
  }

  get isStopped(): boolean {
    return this.#stopping.reason !== undefined
  }

  /** Stops the call: its signal aborts, its inner calls stop, and its caller is answered within `CANCEL_GRACE_MS`. */
  cancel(reason: RpcError): void {
    this.#stopping.stop(reason)
  }

  /** The client has gone. A run goes on without it; anything else has nobody left to answer. */
  abandon(): void {
    if (this.#runId === undefined) this.cancel(new RpcError('cancelled', 'The client went away'))
  }

  /** Whoever made the call has what it wanted of it: nothing of this one holds on to anything any more. */
  release(): void {
    this.#stopping.settle()
  }

  // What grows out of it

  /** A call made by this one's plugin. It ends with this one, unless it is to outlive it. */
  inner(method: string, { signal, outliving, latest, ...who }: CallOptions = {}): Call {
    const { core } = this
    const parts = { ...this.#behalf(who), ...(outliving && { deadlineMs: OUTLIVING_MS }), ...(latest && { generation: core.current() }) }
    const inner = new Call({ core, ...parts, method, parent: this })
    if (!outliving) this.#stopping.alsoStops(inner.#stopping)
    if (signal) inner.#stopping.follow(signal)
    return inner
  }

  /** A call of its own that this one's end does not touch. */
  offspring(method: string, { latest, deadlineMs, ...who }: Pick<CallOptions, 'latest'> & Omit<SpawnOptions, 'afterwards' | 'once'> = {}): Call {
    const { core } = this
    const generation = latest ? core.current() : this.generation
    return new Call({ core, ...this.#behalf(who), method, generation, parent: this, ...(deadlineMs !== undefined && { deadlineMs }) })
  }

  /** For whom an inner call is made, and who hears it: what a plugin does for itself is not its client's to hear. */
  #behalf({ origin, as }: Pick<CallOptions, 'origin' | 'as'>): Pick<CallParts, 'caller' | 'sink'> {
    const own = as === 'self'
    const caller = own ? this.instance.caller : this.caller
    return { caller: origin === undefined ? caller : lowered(caller, origin), sink: own ? undefined : this.sink }
  }

  /** Makes this call a run, once. The run ends when the call does. */
  openRun(about: JsonObject): string {
    if (!this.#entered) throw new RpcError('forbidden', 'Only a call can be a run, and `start` is none')
    const abort = () => this.cancel(new RpcError('cancelled', 'The run was aborted'))
    if (this.#runId !== undefined) return this.#runId
    this.#runId = this.core.events.runs.begin(this.caller, about, abort, this.sink)
    this.onRun?.()
    return this.#runId
  }

  /** Rings a hook, whoever's it is. */
  async ring<Name extends keyof AskingHooks>(hook: Name, subject: AskingHooks[Name]): Promise<Verdict<AskingHooks[Name]>> {
    const tapped = this.generation.hooks.asking[hook]
    if (!tapped.isUsed()) return { subject }
    const question = await tapped.promise({ subject: this.copied(subject, hook) }, this)
    // A tap that was cut off because the whole call was is not to blame for it.
    if (this.#stopping.reason) throw this.#stopping.reason
    // The waterfall keeps the subject's own shape; a change was merged into it.
    return question.by === undefined ? { subject: question.subject as AskingHooks[Name] } : { refused: question.refused ?? '', by: question.by }
  }

  /**
   * A frozen copy of what a plugin hands over.
   * @throws RpcError `internal` where it is no JSON, naming the plugin.
   */
  copied<Value extends object>(value: Value, what: string): Value {
    const where = this.#instance ? `${what}, from ${this.#instance.label},` : what
    const copy = jsonCopy(value, where, 'held')
    if (typeof copy !== 'object' || copy === null || Array.isArray(copy)) throw new RpcError('internal', `${where} must be an object`)
    return copy as Value
  }

  // How plugin code is entered

  /** Runs a method's handler. Only the ladder calls this. */
  enter({ item: method, instance }: Bound<Method>, params: JsonObject): unknown {
    this.#handling = method.name
    const deadlineMs = this.#deadlineMs ?? method.deadlineMs ?? this.core.deadlineMs()
    const run = (ctx: Context) => method.handle(params as never, ctx)
    return method.streams ? this.#stream(instance, method.name, deadlineMs, run) : this.#inside(instance, method.name, deadlineMs, run)
  }

  /** Runs a contributed tool, in this call. */
  enterTool({ item: tool, instance }: Bound<Tool>, args: JsonObject): unknown {
    return this.#inside(instance, `the tool ${tool.name}`, this.#deadlineMs ?? this.core.deadlineMs(), (ctx) => tool.handle(args as never, ctx))
  }

  /** Streams from a contributed model provider, in this call. */
  enterModel({ item: model, instance }: Bound<ModelProvider>, request: JsonObject): AsyncGenerator<Json> {
    return this.#stream(instance, `the model API ${model.name}`, this.#deadlineMs ?? 0, (ctx) => model.stream(request as never, ctx))
  }

  /** Sends through a contributed channel, in this call. */
  enterSend({ item: channel, instance }: Bound<Channel>, message: OutgoingMessage): unknown {
    return this.#inside(instance, `the channel ${channel.name}`, this.#deadlineMs ?? this.core.deadlineMs(), (ctx) => channel.send(message, ctx))
  }

  /** Asks a contributed channel how it is, in this call. */
  enterStatus({ item: channel, instance }: Bound<Channel>): unknown {
    return this.#inside(instance, `the channel ${channel.name}`, CHANNEL_STATUS_MS, (ctx) => channel.status(ctx))
  }

  /** Asks one tap, in a context of its own plugin. It is cut off with this call. */
  enterAskingTap(instance: Instance, tap: RecordedTap, subject: object): unknown {
    return this.inner(tap.hook).#tap(instance, tap, subject)
  }

  /** Tells one tap, in a context of its own plugin. It hears however this call ended. */
  enterHearingTap(instance: Instance, tap: RecordedTap, fact: object): unknown {
    return this.inner(tap.hook, { outliving: true }).#tap(instance, tap, fact)
  }

  #tap(instance: Instance, tap: RecordedTap, subject: object): unknown {
    return this.#inside(instance, `the tap ${tap.name} of ${tap.hook}`, tap.deadlineMs, (ctx) => tap.run(subject as never, ctx))
  }

  /** Runs `start` or another piece of a plugin's own life in this call, which belongs to the plugin. */
  enterLife(instance: Instance, what: string, deadlineMs: number, run: () => Promise<void>): unknown {
    this.#isLife = true
    return this.#inside(instance, what, deadlineMs, run)
  }

  /** A context that is in no call: the one `start` keeps. */
  lifeOf(instance: Instance): Context {
    this.#instance = instance
    return new CallContext(this)
  }

  #inside(instance: Instance, what: string, deadlineMs: number, run: (ctx: Context) => unknown): unknown {
    const startedAt = this.#begin(instance)
    let answer: unknown
    try {
      answer = run(new CallContext(this))
      if (!isPromise(answer)) {
        const copy = jsonCopy(answer, this.#where(what))
        this.#answered(startedAt, undefined)
        this.#left()
        return copy
      }
    } catch (thrown) {
      const refusal = this.#blamed(thrown, what)
      this.#answered(startedAt, refusal)
      this.#left()
      throw refusal
    }
    this.core.stalls.sign(instance)
    return this.#awaited(answer, what, deadlineMs, startedAt)
  }

  /**
   * The answer, or the reason the call was stopped, whichever comes first. After a cancellation the handler has a grace to
   * end in its own words; after a deadline it has none, since what comes too late is thrown away.
   */
  #awaited(work: PromiseLike<unknown>, what: string, deadlineMs: number, startedAt: number): Promise<unknown> {
    this.#setDeadline(what, deadlineMs)
    const { clock } = this.core
    return new Promise((resolve, reject) => {
      let over = false
      const refuse = (refusal: RpcError) => {
        if (over) return
        over = true
        this.#answered(startedAt, refusal)
        reject(refusal)
      }
      const failed = (thrown: unknown) => refuse(this.#blamed(thrown, what))
      const answer = (value: unknown) => {
        if (over) return
        if (this.#isPast(deadlineMs)) throw this.#timeout(what, deadlineMs)
        const copy = jsonCopy(value, this.#where(what))
        over = true
        this.#answered(startedAt, undefined)
        resolve(copy)
      }
      const end = (told: () => void) => {
        try {
          told()
        } catch (thrown) {
          failed(thrown)
        }
        this.#left()
      }
      Promise.resolve(work).then((value) => end(() => answer(value)), (thrown: unknown) => end(() => failed(thrown)))
      this.#stopping.watch((reason) => {
        if (reason.code === 'timeout') refuse(reason)
        else this.#stopping.unlessSettled(clock, CANCEL_GRACE_MS, () => refuse(reason))
      })
    })
  }

  #stream(instance: Instance, what: string, deadlineMs: number, run: (ctx: Context) => unknown): AsyncGenerator<Json> {
    let startedAt = 0
    return flow({
      where: `${what} of ${instance.label}`,
      stopping: this.#stopping,
      open: () => {
        this.core.stalls.sign(this.#maker)
        startedAt = this.#begin(instance)
        this.#setDeadline(what, deadlineMs)
        return run(new CallContext(this))
      },
      blamed: (thrown) => refusalFrom(thrown, `${what} of ${instance.label}`, instance.log, this.#stopping.reason),
      answered: (refusal) => this.#answered(startedAt, refusal),
      left: () => this.#left(),
    })
  }

  /** @throws RpcError where the call has been stopped already, or the plugin has. */
  #begin(instance: Instance): number {
    if (this.#stopping.reason) throw this.#stopping.reason
    if (instance.gone && !this.#isLife) {
      throw new RpcError('unavailable', `${instance.id} was replaced while this ran; try again`, { retryable: true })
    }
    this.#instance = instance
    this.#entered = this.generation
    this.#place = this.#entered.calls.enter(this)
    this.#seat = instance.calls.enter(this)
    this.onEntry?.()
    return this.#entered.hooks.hearing.callSettled.isUsed() ? this.core.clock.elapsed() : 0
  }

  /** The caller has been answered: for it, for the run and for whoever hears of it, the call is over. */
  #answered(startedAt: number, refusal: RpcError | undefined): void {
    this.#stopping.settle()
    if (this.#runId !== undefined) this.core.events.runs.end(this.#runId)
    const callSettled = this.#entered?.hooks.hearing.callSettled
    if (this.#handling === '' || !callSettled?.isUsed()) return
    const durationMs = this.core.clock.elapsed() - startedAt
    const fact = Object.freeze({ method: this.method, caller: this.caller, durationMs, ...(refusal && { refusal: refusal.code }) })
    void callSettled.promise(fact, this)
  }

  /** The handler has ended, which may be later: one that ignores its signal is still inside. */
  #left(): void {
    this.core.stalls.sign(this.#instance)
    this.#entered?.calls.leave(this.#place)
    this.#instance?.calls.leave(this.#seat)
  }

  #setDeadline(what: string, deadlineMs: number): void {
    if (deadlineMs <= 0) return
    this.#stopping.deadline(this.core.clock, this.arrivedAt + deadlineMs, () => this.#timeout(what, deadlineMs).message)
  }

  #isPast(deadlineMs: number): boolean {
    return deadlineMs > 0 && this.core.clock.elapsed() - this.arrivedAt >= deadlineMs
  }

  #timeout(what: string, deadlineMs: number): RpcError {
    return new RpcError('timeout', `${this.#where(what)} took longer than ${deadlineMs} ms`)
  }

  #where(what: string): string {
    return `${what} of ${this.instance.label}`
  }

  #blamed(thrown: unknown, what: string): RpcError {
    return refusalFrom(thrown, this.#where(what), this.instance.log, this.#stopping.reason)
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return value instanceof Promise || (typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function')
}
