/**
 * What a handler is given: everything a plugin may do to the rest of the gateway, and nothing else of the call it is in.
 * The call itself stays out of reach, since it can ring any hook and enter any plugin.
 */
import {
  ASKING_HOOKS,
  HEARING_HOOKS,
  jsonCopy,
  RpcError,
  type AskingHooks,
  type CallOptions,
  type Caller,
  type Channel,
  type ChannelReport,
  type Context,
  type GatewayFacts,
  type HearingHooks,
  type Json,
  type JsonObject,
  type Log,
  type Outcome,
  type OutgoingMessage,
  type Runs,
  type SpawnOptions,
  type SentMessage,
  type Store,
  type Verdict,
} from '@isopod/plugin-api'
import type { Call } from './call.ts'
import type { Bound } from './collector.ts'
import { dispatch } from './dispatch.ts'
import type { EventSink } from './events.ts'
import { refused, succeeded } from './outcome.ts'
import { check } from './validators.ts'

/** Whose handlers may read each catalog. */
const NOUNS = { tools: 'tool', models: 'model', channels: 'channel' } as const

export class CallContext implements Context {
  readonly #call: Call

  constructor(call: Call) {
    this.#call = call
  }

  /** The ear of the client behind a context; for the kernel's own handlers. */
  static earOf(ctx: Context): EventSink | undefined {
    return #call in ctx ? ctx.#call.sink : undefined
  }

  get caller(): Caller {
    return this.#call.caller
  }

  get signal(): AbortSignal {
    return this.#call.signal
  }

  get config(): JsonObject {
    return this.#call.instance.config
  }

  get log(): Log {
    return this.#call.instance.log
  }

  get store(): Store {
    return this.#call.instance.store
  }

  get runId(): string | undefined {
    return this.#call.runId
  }

  now(): number {
    return this.#call.core.clock.now()
  }

  id(): string {
    return this.#call.core.clock.id()
  }

  async call(method: string, params: JsonObject = {}, options?: CallOptions): Promise<Json> {
    this.#mustStream(method, false)
    const inner = this.#call.inner(method, options)
    try {
      return (await dispatch(inner, this.#call.copied(params, `the params of ${method}`))) as Json
    } finally {
      inner.release()
    }
  }

  async *stream(method: string, params: JsonObject = {}, options?: CallOptions): AsyncGenerator<Json> {
    this.#mustStream(method, true)
    const inner = this.#call.inner(method, options)
    try {
      // What the ladder lets through here streams.
      yield* (await dispatch(inner, this.#call.copied(params, `the params of ${method}`))) as AsyncIterable<Json>
    } finally {
      inner.release()
    }
  }

  spawn(method: string, params: JsonObject, about: JsonObject, { afterwards, once, ...how }: SpawnOptions = {}): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#mustStream(method, false)
      const described = this.#call.copied(about, 'what a run is about')
      const spawned = this.#call.offspring(method, how)
      spawned.onEntry = () => {
        const runId = spawned.openRun(described)
        if (once === undefined) return resolve(runId)
        // A run that ends without the event is answered by how it ended.
        const told = this.#call.core.events.runs.told(runId, once)
        void told.then((isTold) => (isTold ? undefined : ended)).then(() => resolve(runId), reject)
      }
      const given = this.#call.copied(params, `the params of ${method}`)
      // A call that ends at once throws at once.
      const ended = new Promise<unknown>((settle) => settle(dispatch(spawned, given)))
      // A refusal of the ladder is the answer to `spawn`; later ones are told by the run's events.
      ended.catch(reject)
      if (afterwards !== undefined) void ended.then(succeeded, refused).then((outcome) => this.#followUp(afterwards, spawned.runId, described, outcome))
    })
  }

  /** Tells the plugin how a run of its ended. Nobody waits, so what goes wrong is for the log. */
  async #followUp(method: string, runId: string | undefined, about: JsonObject, outcome: Outcome): Promise<void> {
    if (runId === undefined) return
    const { core, instance } = this.#call
    try {
      const call = this.#call.offspring(method, { as: 'self', latest: true })
      await dispatch(call, this.#call.copied({ runId, about, ...outcome } as JsonObject, `the params of ${method}`))
    } catch (thrown) {
      core.log.error(`${instance.label} could not follow up a run that ended`, { method, runId, err: thrown })
    }
  }

  emit(name: string, data: JsonObject, options: { readonly join?: string } = {}): void {
    this.#call.core.events.tell(name, this.#call.copied(data, `the event ${name}`), options.join, this.#call.caller)
  }

  get runs(): Runs {
    const call = this.#call
    const { runs } = call.core.events
    return {
      open: async (about) => call.openRun(call.copied(about, 'what a run is about')),
      abort: async (runId) => runs.abort(runId, call.caller),
      state: async (runId) => runs.state(runId, call.caller),
      follow: async (runId, after) => runs.follow(runId, after, call.caller, call.sink),
    }
  }

  async ask<Name extends keyof AskingHooks>(hook: Name, subject: AskingHooks[Name]): Promise<Verdict<AskingHooks[Name]>> {
    this.#mustServe(ASKING_HOOKS[hook], `ring ${hook}`)
    return this.#call.ring(hook, subject)
  }

  tell<Name extends keyof HearingHooks>(hook: Name, fact: HearingHooks[Name]): void {
    this.#mustServe(HEARING_HOOKS[hook], `ring ${hook}`)
    void this.#call.generation.hooks.hearing[hook].promise(this.#call.copied(fact, hook), this.#call)
  }

  async catalog(kind: keyof typeof NOUNS): Promise<readonly JsonObject[]> {
    this.#mustServe(NOUNS[kind], `read the catalog of ${kind}`)
    const declared = [...this.#call.generation[kind].values()].map(({ item, instance }) => ({ ...dataOf(item), plugin: instance.id }))
    return jsonCopy(declared, `the catalog of ${kind}`) as unknown as readonly JsonObject[]
  }

  async useTool(name: string, args: JsonObject, options?: CallOptions): Promise<Json> {
    this.#mustServe('tool', 'run a tool')
    const bound = this.#call.generation.tools.get(name)
    if (!bound) throw new RpcError('not_found', `There is no tool ${name}`, { param: 'tool' })
    const given = this.#call.copied(args, `the arguments of ${name}`)
    const misfit = check(bound.item.params, given)
    if (misfit) {
      throw new RpcError('invalid_request', `${name}: ${misfit.message}`, misfit.param === undefined ? {} : { param: misfit.param })
    }
    const inner = this.#call.inner(`tool ${name}`, options)
    try {
      return (await inner.enterTool(bound, given)) as Json
    } finally {
      inner.release()
    }
  }

  async *useModel(name: string, request: JsonObject, options?: CallOptions): AsyncGenerator<Json> {
    this.#mustServe('model', 'use a model')
    const bound = this.#call.generation.models.get(name)
    if (!bound) throw new RpcError('not_found', `No plugin serves the model API ${name}`)
    const given = this.#call.copied(request, `the request to ${name}`)
    const inner = this.#call.inner(`model ${name}`, options)
    try {
      yield* inner.enterModel(bound, given)
    } finally {
      inner.release()
    }
  }

  async sendThrough(name: string, message: OutgoingMessage, options?: CallOptions): Promise<SentMessage> {
    const given = this.#call.copied(message, `the message to ${name}`)
    return this.#throughChannel(name, options, (inner, bound) => inner.enterSend(bound, given)) as Promise<SentMessage>
  }

  async channelReport(name: string, options?: CallOptions): Promise<ChannelReport> {
    return this.#throughChannel(name, options, (inner, bound) => inner.enterStatus(bound)) as Promise<ChannelReport>
  }

  gateway(): GatewayFacts {
    return this.#call.core.facts()
  }

  async reveal(reference: Json): Promise<string> {
    const { instance } = this.#call
    if (instance.trust === 'walled') throw new RpcError('forbidden', 'Secrets do not cross the wall')
    const name = typeof reference === 'object' && reference !== null ? (reference as JsonObject)['secret'] : undefined
    const text = typeof name === 'string' ? instance.secrets.get(name) : undefined
    if (text === undefined) throw new RpcError('not_found', `${instance.label} has no such secret in its config`)
    return text
  }

  async #throughChannel(name: string, options: CallOptions | undefined, enter: (inner: Call, bound: Bound<Channel>) => unknown): Promise<unknown> {
    this.#mustServe('channel', 'use a channel')
    const bound = this.#call.generation.channels.get(name)
    if (!bound) throw new RpcError('not_found', `There is no channel ${name}`, { param: 'channelId' })
    const inner = this.#call.inner(`channel ${name}`, options)
    try {
      return await enter(inner, bound)
    } finally {
      inner.release()
    }
  }

  #mustServe(noun: string | undefined, what: string): void {
    if (noun === 'kernel' || noun === undefined) throw new RpcError('forbidden', `Nobody but the kernel may ${what}`)
    if (this.#call.noun !== noun) throw new RpcError('forbidden', `Only a handler of \`${noun}.*\` may ${what}`)
  }

  /** A method that is not there is the ladder's to refuse. */
  #mustStream(method: string, streams: boolean): void {
    const item = this.#call.generation.methods.get(method)?.item
    if (!item || (item.streams === true) === streams) return
    throw new RpcError('invalid_request', streams ? `${method} does not stream: use ctx.call` : `${method} streams: use ctx.stream`)
  }
}

/** A declaration without its functions, which is plain data. */
function dataOf(item: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(item).filter(([, value]) => typeof value !== 'function'))
}
