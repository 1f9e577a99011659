/** One gateway, seen from a program: messages, runs of an agent, any method by its name, and a WebSocket for the rest. */
import { Agent, untilDone, type Usage } from './agent.ts'
import { settled, type CallOptions, type ClientOptions, type Settings } from './client-options.ts'
import { Connection, type ConnectOptions } from './connection.ts'
import { GatewayError } from './gateway-error.ts'
import { Http, type HttpOptions } from './http.ts'
import { isIdempotent } from './idempotence.ts'
import { field, isRecord, type Json, type JsonObject } from './json.ts'

/** What a message takes beside its text. */
export interface MessageOptions extends CallOptions {
  /** The conversation it belongs to; a fresh one without it. */
  readonly conversationId?: string | undefined
  /** Where the message comes from; `api` unless said. */
  readonly channel?: string | undefined
}

/** The answer to a message. */
export interface Message {
  readonly content: string
  readonly conversationId: string
  readonly runId: string
  readonly usage: Usage
}

/** A piece of the answer, or its end with the whole of it. */
export type MessageEvent =
  | { readonly type: 'delta'; readonly delta: string; readonly conversationId: string; readonly runId: string }
  | ({ readonly type: 'done' } & Message)

const MESSAGE = '/api/v1/message'
/** Milliseconds. The gateway's own word that it took too long says which run goes on; so it is given time to arrive. */
const GRACE_MS = 5_000

/** A client of one gateway. Nothing is opened before the first request, and nothing has to be closed but connections. */
export class OpenClawClient {
  /** Runs of an agent, as `POST /v1/agent/run` has them. */
  readonly agent: Agent
  readonly #settings: Settings
  readonly #http: Http

  /** @throws GatewayError `invalid_request` where an option makes no sense */
  constructor(options: ClientOptions) {
    this.#settings = settled(options)
    this.#http = new Http(this.#settings)
    this.agent = new Agent(this.#http)
  }

  /**
   * Sends a message and answers with the reply. It is never sent twice by itself.
   * @throws GatewayError `timeout` where it took too long: the run goes on, and `details` names it
   */
  async message(text: string, options: MessageOptions = {}): Promise<Message> {
    const timeoutMs = options.timeoutMs ?? this.#settings.timeoutMs
    const body = { ...bodyOf(text, options), timeout_ms: Math.ceil(timeoutMs) }
    return messageIn(await this.#http.post(MESSAGE, body, { signal: options.signal, timeoutMs: timeoutMs + GRACE_MS }))
  }

  /**
   * Sends a message and tells the reply as it comes; `done` is the last event. Leaving the loop aborts the run.
   * @throws GatewayError also in mid-stream, `connection_lost` where it broke off
   */
  async *stream(text: string, options: MessageOptions = {}): AsyncGenerator<MessageEvent, void> {
    for await (const { event, data } of untilDone(this.#http.events(MESSAGE, bodyOf(text, options), options))) {
      if (event === 'done') yield { type: 'done', ...messageIn(data) }
      else yield { type: 'delta', delta: field(data, 'delta', 'string') ?? '', ...namesIn(data) }
    }
  }

  /**
   * Calls any of the gateway's methods by its name, over HTTP; `system.methods` lists them. A method that only looks is
   * tried again where that may help; any other is, if `idempotent` says that it can be.
   * @throws GatewayError what the gateway refused with, or why there was no answer
   */
  async call<Result = Json>(method: string, params: object = {}, { idempotent = isIdempotent(method), ...options }: HttpOptions = {}): Promise<Result> {
    const answer = await this.#http.post('/api/rpc', { method, params }, { ...options, idempotent })
    if (!isRecord(answer) || !('data' in answer)) throw new GatewayError('bad_answer', `The call of ${method} was answered by something that is no answer`)
    // What a method answers is known to whoever calls it.
    return answer['data'] as Result
  }

  /**
   * Opens a WebSocket that comes back by itself when it is lost, with its runs and subscriptions.
   * @throws GatewayError why it could not be opened; later losses are told by the connection's own events
   */
  connect(options?: ConnectOptions): Promise<Connection> {
    return Connection.open(this.#settings, options)
  }
}

function bodyOf(message: string, { conversationId, channel = 'api' }: MessageOptions): JsonObject {
  return { channel, message, ...(conversationId !== undefined && { conversation_id: conversationId }) }
}

function messageIn(answer: Json): Message {
  if (!isRecord(answer)) throw new GatewayError('bad_answer', 'A message was answered by something that is no answer')
  // The gateway counts in these names wherever it counts.
  const usage = answer['usage'] as unknown as Usage
  return { content: field(answer, 'content', 'string') ?? '', ...namesIn(answer), usage }
}

function namesIn(data: JsonObject): { readonly conversationId: string; readonly runId: string } {
  return { conversationId: field(data, 'conversation_id', 'string') ?? '', runId: field(data, 'run_id', 'string') ?? '' }
}
