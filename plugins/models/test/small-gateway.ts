/**
 * The smallest gateway this plugin runs in: it collects what is registered and hands each handler a context that reaches no
 * further than these tests need. Everything a test looks at afterwards (the log, the store) is kept here.
 */
import { jsonCopy, RpcError } from '@isopod/plugin-api'
import type { Context, Json, JsonObject, Method, ModelPart, ModelProvider, ModelRequest } from '@isopod/plugin-api'
import models from '../index.ts'

export interface GatewayParts {
  readonly config?: JsonObject
  /** The texts behind `{ secret: name }`. */
  readonly secrets?: Readonly<Record<string, string>>
  /** What stands in the environment while the plugin starts. */
  readonly environment?: Readonly<Record<string, string>>
  /** The gateway before a restart, whose store it has. */
  readonly after?: SmallGateway
}

const VARIABLES = ['ANTHROPIC_API_KEY', 'ANTHROPIC_BASE_URL', 'OPENAI_API_KEY', 'OPENAI_BASE_URL']

export class SmallGateway {
  readonly logged: string[] = []
  now = 1_700_000_000_000
  /** Set to refuse every write. */
  diskFull = false
  readonly #methods = new Map<string, Method>()
  readonly #models = new Map<string, ModelProvider>()
  readonly #documents: Map<string, { value: Json; version: number }>
  readonly #config: JsonObject
  readonly #secrets: Readonly<Record<string, string>>

  constructor({ config = {}, secrets = {}, environment = {}, after }: GatewayParts = {}) {
    this.#config = config
    this.#secrets = secrets
    this.#documents = after ? after.#documents : new Map()
    const registries: Record<string, object> = {
      methods: { add: (method: Method) => this.#methods.set(method.name, method) },
      models: { add: (provider: ModelProvider) => this.#models.set(provider.name, provider) },
    }
    const hook = (name: string) => ({ tap: (_name: string, contribute: (registry: unknown) => void) => contribute(registries[name]) })
    models.register({ hooks: { methods: hook('methods'), models: hook('models') } } as never)
    this.#start(environment)
  }

  #start(environment: Readonly<Record<string, string>>): void {
    const before = VARIABLES.map((name) => [name, process.env[name]] as const)
    for (const name of VARIABLES) delete process.env[name]
    Object.assign(process.env, environment)
    // This plugin's start answers at once.
    void models.start?.(this.#context(new AbortController().signal))
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }

  async call(method: string, params: JsonObject = {}): Promise<JsonObject> {
    const { handle } = this.#method(method)
    return jsonCopy(await handle(params as never, this.#context(new AbortController().signal)), method) as JsonObject
  }

  /** Streams one answer of the model `id`. */
  ask(id: string, request: Partial<ModelRequest>, signal = new AbortController().signal): AsyncIterable<ModelPart> {
    const { handle } = this.#method('model.stream')
    return handle({ id, request: { messages: [], ...request } } as never, this.#context(signal)) as AsyncIterable<ModelPart>
  }

  #method(name: string): Method {
    const method = this.#methods.get(name)
    if (!method) throw new RpcError('method_not_found', name)
    return method
  }

  #context(signal: AbortSignal): Context {
    const log = (message: string, facts?: object): void => void this.logged.push(`${message} ${JSON.stringify(facts ?? {})}`)
    const context: Partial<Context> = {
      signal,
      config: this.#config,
      log: { debug: log, info: log, warn: log, error: log },
      now: () => this.now,
      catalog: async () => [...this.#models.keys()].map((name) => ({ name })),
      reveal: async (reference) => this.#reveal((reference as { readonly secret: string }).secret),
      call: (method: string, params?: JsonObject) => this.call(method, params),
      useModel: (name, request) => this.#useModel(name, request, signal),
      store: {
        get: async (collection: string, key: string) => this.#document(collection, key) as never,
        list: async () => [],
        read: async () => [],
        write: async (writes) => writes.map((write) => this.#write(write as { put: string; key: string; value: Json; ifVersion?: number })),
      },
    }
    return context as Context
  }

  async *#useModel(name: string, request: JsonObject, signal: AbortSignal): AsyncGenerator<Json> {
    const provider = this.#models.get(name)
    if (!provider) throw new RpcError('not_found', name)
    for await (const part of provider.stream(jsonCopy(request, name) as never, this.#context(signal))) yield jsonCopy(part, name)
  }

  #reveal(name: string): string {
    const text = this.#secrets[name]
    if (text === undefined) throw new RpcError('not_found', 'There is no such secret')
    return text
  }

  #document(collection: string, key: string) {
    const document = this.#documents.get(`${collection}/${key}`)
    return document && { key, ...document }
  }

  #write({ put, key, value, ifVersion }: { put: string; key: string; value: Json; ifVersion?: number }): number {
    if (this.diskFull) throw new RpcError('unavailable', 'The disk is full')
    const version = this.#document(put, key)?.version ?? 0
    if (ifVersion !== undefined && ifVersion !== version) throw new RpcError('conflict', 'Another write came first')
    this.#documents.set(`${put}/${key}`, { value, version: version + 1 })
    return version + 1
  }
}

/** A user's message of one text. */
export function user(text: string): ModelRequest['messages'][number] {
  return { role: 'user', parts: [{ type: 'text', text }] }
}

/** What a stream said, sorted by kind. */
export async function heard(parts: AsyncIterable<ModelPart>) {
  const all: ModelPart[] = []
  for await (const part of parts) all.push(part)
  const finish = all.at(-1)
  return {
    all,
    text: all.map((part) => (part.type === 'text' ? part.text : '')).join(''),
    thinking: all.map((part) => (part.type === 'thinking' ? part.text : '')).join(''),
    calls: all.filter((part) => part.type === 'toolCall'),
    finish: finish?.type === 'finish' ? finish : undefined,
  }
}

/** The refusal a stream ends with, and what it said before. */
export async function refusal(parts: AsyncIterable<ModelPart>): Promise<{ readonly error: RpcError; readonly text: string }> {
  let text = ''
  try {
    for await (const part of parts) text += part.type === 'text' ? part.text : ''
  } catch (thrown) {
    return { error: thrown as RpcError, text }
  }
  throw new Error(`Nothing was refused; the model said: ${text}`)
}
