/**
 * A gateway small enough to hold in one hand: the plugin's methods beside a scripted model, scripted tools and sessions that
 * remember. Everything that somebody could notice is written down in one list, in order: what was kept and what was told.
 */
import {
  RpcError,
  type CallOptions,
  type Context,
  type GatewayHooks,
  type JsonObject,
  type Message,
  type Method,
  type ModelRequest,
  type OfferedTool,
  type Plugin,
  type PromptShaping,
  type Usage,
} from '@isopod/plugin-api'
import type { ModelStream } from '../../models/contract.ts'
import type { SessionBegin, SessionCommit } from '../../sessions/contract.ts'
import type { ToolInvoke } from '../../tools/contract.ts'

/** What the model does when it is asked: parts to stream, an error to throw, or `hang` to say nothing until it is stopped. */
export type Script = readonly (object | Error | 'hang')[]

export interface Setup {
  readonly config?: JsonObject
  /** One for each request to a model; `models` has the names they were for. */
  readonly scripts?: readonly Script[]
  readonly tools?: Readonly<Record<string, (args: JsonObject, signal: AbortSignal) => unknown>>
  /** What a tool declares it does; nothing unless said. */
  readonly effects?: Readonly<Record<string, readonly string[]>>
  /** What `promptShaping` answers. */
  readonly shape?: (subject: PromptShaping) => object | undefined
  /** Asked before each inner call, and waited for; what it throws is what the call rejects with. */
  readonly trouble?: (method: string, params: JsonObject) => void | Promise<void>
  /** The ids of models that are configured. The first is the default. */
  readonly models?: readonly string[]
}

interface Session {
  agentId: string
  readonly messages: Message[]
}

/** What an event may carry. */
interface Told {
  readonly runId?: string
  readonly delta?: string
  readonly tool?: string
  readonly client?: boolean
  readonly error?: { readonly code: string; readonly message: string }
}

/** What a method may answer. */
interface Answered {
  readonly runId: string
  readonly sessionKey: string
  readonly model: string
  readonly response: string
  readonly finishReason: string
  readonly toolCalls: readonly object[]
  readonly usage: Usage
  readonly status: string
  readonly error: object
  readonly messages: readonly { readonly content: string }[]
}

interface KeptRun {
  readonly sessionKey: string
  status: string
  messages: readonly Message[]
  readonly more: object
}

export class ScriptedGateway {
  /** `kept begin`, `chat.started`, `chat.delta Hel`, ... */
  readonly story: string[] = []
  readonly events: { readonly name: string; readonly data: Told }[] = []
  /** What the model was asked, in order. */
  readonly asked: { readonly id: string; readonly request: Omit<ModelRequest, 'model'> }[] = []
  readonly sessions = new Map<string, Session>()
  readonly runs = new Map<string, KeptRun>()
  /** Runs that the kernel still knows. */
  readonly live = new Map<string, { readonly controller: AbortController; readonly about: JsonObject; open: boolean; lastSeq: number }>()
  readonly spawned: Promise<unknown>[] = []
  readonly invoked: { readonly params: ToolInvoke; readonly options: CallOptions }[] = []
  readonly #plugin: Plugin
  readonly #setup: Setup
  #ids = 0
  #waiting: { readonly text: string; readonly wake: () => void }[] = []

  constructor(plugin: Plugin, setup: Setup = {}) {
    this.#plugin = plugin
    this.#setup = setup
  }

  async call(method: string, params: object, controller = new AbortController(), runId?: string): Promise<Answered> {
    const answered = await this.#methods().get(method)?.handle(structuredClone(params) as never, this.#context(controller, runId))
    // What the plugin answers is what the tests are to find out.
    return JSON.parse(JSON.stringify(answered)) as Answered
  }

  /** Resolves once this stands in the story. */
  until(text: string): Promise<void> {
    if (this.story.includes(text)) return Promise.resolve()
    return new Promise((wake) => this.#waiting.push({ text, wake }))
  }

  #write(text: string): void {
    this.story.push(text)
    for (const { wake } of this.#waiting.filter((one) => one.text === text)) wake()
  }

  #context(controller: AbortController, openedAs?: string): Context {
    const { signal } = controller
    let runId = openedAs
    const call = async (method: string, params: JsonObject, options: CallOptions = {}) => {
      if (signal.aborted && !options.outliving) throw signal.reason
      await Promise.resolve()
      await this.#setup.trouble?.(method, params)
      return this.#inner(method, structuredClone(params), { ...options, signal })
    }
    return {
      config: this.#setup.config ?? {},
      log: { debug() {}, info() {}, warn: (text: string) => this.#write(`warn ${text}`), error: (text: string) => this.#write(`error ${text}`) },
      signal,
      runId,
      id: () => `id-${(this.#ids += 1)}`,
      now: () => 0,
      call,
      stream: (method: string, params: ModelStream) => this.#model(params, signal, method),
      emit: (name: string, data: Told) => this.#emit(name, structuredClone(data)),
      spawn: async (method: string, params: object, about: JsonObject) => {
        const own = new AbortController()
        const id = this.#open(own, about)
        this.spawned.push(this.call(method, params, own, id).finally(() => this.#close(id)))
        this.spawned.at(-1)?.catch(() => {})
        return id
      },
      ask: async (_: string, subject: PromptShaping) => this.#setup.shape?.(structuredClone(subject)) ?? { subject },
      runs: {
        open: async (about: JsonObject) => (runId = this.#open(controller, about)),
        abort: async (id: string) => {
          const run = this.#live(id)
          if (run.open) run.controller.abort(new RpcError('cancelled', 'The run was aborted'))
          return run.open
        },
        follow: async (id: string, after: number) => {
          this.#write(`follow after ${after}`)
          const { open, about, lastSeq } = this.#live(id)
          return { id, open, firstSeq: 1, lastSeq, about }
        },
      },
    } as unknown as Context
  }

  #emit(name: string, data: Told): void {
    this.events.push({ name, data })
    const run = this.live.get(data.runId ?? '')
    if (run) run.lastSeq += 1
    const detail = data.delta ?? data.tool ?? data.error?.code ?? ''
    this.#write(detail === '' ? name : `${name} ${detail}`)
  }

  #open(controller: AbortController, about: JsonObject): string {
    const id = `run-${this.live.size + 1}`
    this.live.set(id, { controller, about, open: true, lastSeq: 0 })
    return id
  }

  #close(id: string): void {
    const run = this.live.get(id)
    if (run) run.open = false
  }

  #live(id: string) {
    const run = this.live.get(id)
    if (!run) throw new RpcError('not_found', `There is no run ${id}`)
    return run
  }

  /** The plugin's params are taken at their word, as the contracts have them. */
  async #inner(method: string, params: JsonObject, options: CallOptions): Promise<unknown> {
    const given = params as never
    switch (method) {
      case 'session.begin': return this.#begin(given)
      case 'session.commit': return this.#commit(given)
      case 'session.run': return this.#run(given)
      case 'session.get': return this.#get(given)
      case 'model.resolve': return this.#resolve(given)
      case 'tool.list': return { tools: Object.keys(this.#setup.tools ?? {}).map((name) => ({ name, description: name, params: { type: 'object' }, effects: this.#setup.effects?.[name] ?? [] })) }
      case 'tool.invoke': return this.#invoke(given, options)
      case 'chat.run': return this.call(method, params)
      default: throw new RpcError('method_not_found', method)
    }
  }

  #begin({ sessionKey, runId, agentId, messages, history, ...more }: SessionBegin): object {
    const session = this.sessions.get(sessionKey) ?? { agentId: 'default', messages: [] }
    this.sessions.set(sessionKey, session)
    session.agentId = agentId ?? session.agentId
    const earlier = history === 0 ? [] : session.messages.slice(-history)
    session.messages.push(...messages)
    this.runs.set(runId, { sessionKey, status: 'open', messages: [], more })
    this.#write('kept begin')
    return { history: earlier, agentId: session.agentId }
  }

  #commit({ sessionKey, runId, messages, status, ...more }: SessionCommit): null {
    if (this.runs.get(runId)?.status !== 'open') throw new RpcError('conflict', `The run ${runId} is not open`)
    this.sessions.get(sessionKey)?.messages.push(...messages)
    this.runs.set(runId, { sessionKey, status, messages, more })
    this.#write(`kept ${status}`)
    return null
  }

  #run({ runId }: { readonly runId: string }): object {
    const run = this.runs.get(runId)
    if (!run) throw new RpcError('not_found', `There is no run ${runId}`)
    return { runId, sessionKey: run.sessionKey, status: run.status, response: run.messages.map(textOf).join(''), ...run.more }
  }

  #get({ sessionKey, limit }: { readonly sessionKey: string; readonly limit: number }): object {
    const session = this.sessions.get(sessionKey)
    if (!session) throw new RpcError('not_found', `There is no session ${sessionKey}`)
    const messages = session.messages.slice(-limit).map((message, index) => ({ id: String(index), content: textOf(message), ...message }))
    return { sessionKey, messages }
  }

  #resolve({ model: name }: { readonly model?: string }): object {
    const known = this.#setup.models ?? ['isopod/offline']
    return name !== undefined && known.includes(name) ? { id: name, known: true } : { id: known[0], known: name === undefined }
  }

  #invoke(params: ToolInvoke, options: CallOptions): unknown {
    this.invoked.push({ params, options })
    const tool = this.#setup.tools?.[params.tool]
    if (!tool) throw new RpcError('not_found', `There is no tool ${params.tool}`)
    return Promise.resolve(tool(params.params ?? {}, options.signal ?? new AbortController().signal)).then((result) => ({ result }))
  }

  async *#model(params: ModelStream, signal: AbortSignal, method: string): AsyncGenerator<object> {
    await this.#setup.trouble?.(method, { id: params.id })
    this.asked.push(structuredClone(params))
    for (const step of this.#setup.scripts?.[this.asked.length - 1] ?? [finish()]) {
      if (signal.aborted) throw signal.reason
      if (step instanceof Error) throw step
      if (step === 'hang') await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      else yield step
    }
  }

  /** Registered anew for every call: nothing may live in the plugin between two of them. */
  #methods(): Map<string, Method> {
    const methods = new Map<string, Method>()
    const registry = { add: (method: Method) => methods.set(method.name, method) }
    const hooks = { methods: { tap: (_: string, contribute: (to: typeof registry) => void) => contribute(registry) } }
    this.#plugin.register({ hooks: hooks as unknown as GatewayHooks })
    return methods
  }
}

function textOf({ parts }: Message): string {
  return parts.map((part) => (part.type === 'text' ? part.text : '')).join('')
}

export const say = (text: string) => ({ type: 'text', text })
export const think = (text: string) => ({ type: 'thinking', text })
export const callTool = (id: string, name: string, args: unknown = {}) => ({ type: 'toolCall', id, name, args })
export const finish = (reason = 'stop', tokens = 1) => ({ type: 'finish', reason, usage: { promptTokens: tokens, completionTokens: tokens, totalTokens: 2 * tokens } })
export const result = (id: string, name: string, value: unknown, more: object = {}) => ({ type: 'toolResult', id, name, result: value, ...more })
export const message = (role: string, ...parts: readonly unknown[]) => ({ role, parts: parts.map((part) => (typeof part === 'string' ? say(part) : part)) })
export const clientTool = (name: string): OfferedTool => ({ name, params: { type: 'object' } })

/** A refusal with this code, for `assert.rejects`. */
export const refused = (code: string, facts: object = {}) => ({ name: 'RpcError', code, ...facts })

/** Resolves once everything has happened that waits for nothing outside. */
export const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

/** The parts of the last message that the model was shown when it was asked for the `index`th time. */
export function lastParts(gateway: ScriptedGateway, index: number) {
  return gateway.asked[index]?.request.messages.at(-1)?.parts ?? []
}
