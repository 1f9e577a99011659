/**
 * A WebSocket that outlives its sockets. When one is lost another is opened, later and later while that fails; calls that only
 * look are asked again, runs are taken up where they were, and what was subscribed to is subscribed to again. Only a
 * refused credential, or `close()`, ends it.
 */
import type { RunRequest } from './agent.ts'
import { backoff } from './backoff.ts'
import { Calls } from './calls.ts'
import type { CallOptions, Settings } from './client-options.ts'
import type { EventFrame } from './gateway-event.ts'
import { GatewayError } from './gateway-error.ts'
import type { HttpOptions } from './http.ts'
import { isIdempotent } from './idempotence.ts'
import { field, isRecord, type Json, type JsonObject } from './json.ts'
import { Link, type WebSocketConstructor } from './link.ts'
import { Listeners, type Listener } from './listeners.ts'
import { pause } from './patience.ts'
import { Runs } from './runs.ts'
import type { Run } from './run.ts'

/** How a connection is opened and kept. Milliseconds. */
export interface ConnectOptions {
  /** How long an opening may take, and the answer to a sign of life; 15,000 unless said. */
  readonly timeoutMs?: number | undefined
  /** The wait before the first reconnection, 250 unless said; it doubles each time. */
  readonly firstDelayMs?: number | undefined
  /** The longest wait between two; 30,000 unless said. */
  readonly mostDelayMs?: number | undefined
  /** After so long a silence the gateway is asked whether it lives; 45,000 unless said. Its heartbeat comes every 30,000. */
  readonly silenceMs?: number | undefined
}

/** What the gateway said of itself, and of this connection, when it last let it in. */
export interface GatewayFacts {
  readonly clientId: string
  readonly gatewayVersion: string
  /** The nouns of its methods. */
  readonly capabilities: readonly string[]
}

const DEFAULTS = { timeoutMs: 15_000, firstDelayMs: 250, mostDelayMs: 30_000, silenceMs: 45_000 }
/** A link that held so long was a good one: the next wait is a short one again. */
const GOOD_LINK_MS = 10_000

export class Connection {
  readonly #settings: Settings
  readonly #options: typeof DEFAULTS
  readonly #calls: Calls
  readonly #runs: Runs
  readonly #listeners = new Listeners()
  readonly #over = new AbortController()
  #link: Link | undefined
  #linkedAt = 0
  #attempt = 0
  #facts: GatewayFacts = { clientId: '', gatewayVersion: '', capabilities: [] }

  /** @internal By `client.connect()`. */
  static async open(settings: Settings, options: ConnectOptions = {}): Promise<Connection> {
    const connection = new Connection(settings, options)
    await connection.#connect()
    return connection
  }

  private constructor(settings: Settings, options: ConnectOptions) {
    this.#settings = settings
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
    this.#options = { ...DEFAULTS, ...given }
    this.#calls = new Calls(settings)
    this.#runs = new Runs(this.#calls)
  }

  /** What the gateway said of itself. */
  get gateway(): GatewayFacts {
    return this.#facts
  }

  /** Whether there is a link just now. */
  get isOpen(): boolean {
    return this.#link !== undefined
  }

  /**
   * Calls a method. While the connection is down, it waits.
   * @throws GatewayError the gateway's refusal; `connection_lost` where a call that changes something was under way
   */
  async call<Result = Json>(method: string, params: object = {}, { idempotent = isIdempotent(method), ...options }: HttpOptions = {}): Promise<Result> {
    // What a method answers is known to whoever calls it.
    return (await this.#calls.call(method, params, { ...options, idempotent })) as Result
  }

  /** Starts a run. Its events are read by `for await`, its result by `.result`; both go on through a lost connection. */
  run(request: RunRequest, { signal }: Pick<CallOptions, 'signal'> = {}): Run {
    return this.#runs.start(request, signal)
  }

  /**
   * Follows a run that was started before, elsewhere perhaps, from its
   * beginning. Of one whose events are gone, the answer is told.
   */
  resume(runId: string, { signal }: Pick<CallOptions, 'signal'> = {}): Run {
    return this.#runs.follow(runId, signal)
  }

  /**
   * Hears events of a name, and subscribes to those that the gateway does not tell unasked. `connection.lost` `{error, retryMs}`,
   * `connection.restored` `{}` and `connection.closed` `{error}` are told by the connection itself.
   * @returns what stops it
   * @throws GatewayError where the gateway does not let this client hear them
   */
  async on(event: string, listener: Listener): Promise<() => void> {
    const { off, isFirst, isLast } = this.#listeners.add(event, listener)
    const stop = (): void => {
      off()
      if (isSubscribed(event) && isLast()) this.#calls.call('events.unsubscribe', { events: [event] }, { idempotent: true }).catch(() => {})
    }
    try {
      if (isFirst && isSubscribed(event)) await this.#calls.call('events.subscribe', { events: [event] }, { idempotent: true })
    } catch (thrown) {
      off()
      throw thrown
    }
    return stop
  }

  /** Closes it. Runs go on at the gateway; here they end as `closed`. */
  close(): void {
    this.#end(new GatewayError('closed', 'The connection was closed by this client'))
  }

  async #connect(): Promise<void> {
    const { baseUrl, token } = this.#settings
    const link = await Link.open({
      url: baseUrl.href.replace(/^http/, 'ws'),
      token,
      WebSocket: this.#webSocket(),
      timeoutMs: this.#options.timeoutMs,
      silenceMs: this.#options.silenceMs,
      heard: (frame) => this.#hear(frame),
      lost: (error) => void this.#lost(error),
    })
    if (this.#over.signal.aborted) return link.close()
    this.#link = link
    this.#linkedAt = performance.now()
    const events = this.#listeners.names().filter(isSubscribed)
    this.#calls.linked(link)
    if (events.length > 0) this.#calls.call('events.subscribe', { events }, { idempotent: true }).catch(() => {})
    this.#runs.linked()
  }

  #webSocket(): WebSocketConstructor {
    // Node before 22 has none, though the types say that there is always one.
    const own: WebSocketConstructor | undefined = globalThis.WebSocket
    const found = this.#settings.WebSocket ?? own
    if (!found) {
      throw new GatewayError('invalid_request', 'This runtime has no WebSocket of its own: pass one as the option `WebSocket`', { param: 'WebSocket' })
    }
    return found
  }

  #hear(frame: JsonObject): void {
    const type = field(frame, 'type', 'string')
    if (type === undefined) return this.#calls.settle(frame)
    const data = isRecord(frame['data']) ? frame['data'] : {}
    // Its fields are the dialect's greeting.
    if (type === 'connected') this.#facts = data as unknown as GatewayFacts
    const event: EventFrame = { type, data, seq: field(frame, 'seq', 'number') }
    if (this.#runs.hear(event)) this.#listeners.tell(type, data)
  }

  async #lost(error: GatewayError): Promise<void> {
    if (performance.now() - this.#linkedAt > GOOD_LINK_MS) this.#attempt = 0
    this.#link = undefined
    this.#calls.lost(error)
    let why = error
    while (!this.#over.signal.aborted) {
      const { firstDelayMs: firstMs, mostDelayMs: mostMs } = this.#options
      const retryMs = Math.max(backoff(this.#attempt, { firstMs, mostMs }), (why.retryAfter ?? 0) * 1000)
      this.#attempt += 1
      this.#listeners.tell('connection.lost', { error: why, retryMs })
      try {
        await pause(retryMs, this.#over.signal)
        await this.#connect()
        return this.#listeners.tell('connection.restored', {})
      } catch (thrown) {
        if (this.#over.signal.aborted) return
        if (!(thrown instanceof GatewayError) || FINAL.has(thrown.code)) return this.#end(asError(thrown))
        why = thrown
      }
    }
  }

  #end(error: GatewayError): void {
    if (this.#over.signal.aborted) return
    this.#over.abort(error)
    this.#link?.close()
    this.#link = undefined
    this.#calls.end(error)
    this.#runs.end(error)
    this.#listeners.tell('connection.closed', { error })
  }
}

/** What trying again does not change. */
const FINAL: ReadonlySet<string> = new Set(['unauthorized', 'forbidden', 'invalid_request'])

/** Whether an event has to be asked for: not those of runs, which come to whoever started them, nor what comes to everybody. */
function isSubscribed(event: string): boolean {
  return !/^(?:chat|tool|connection)\.|^(?:heartbeat|connected)$/.test(event)
}

function asError(thrown: unknown): GatewayError {
  return thrown instanceof GatewayError ? thrown : new GatewayError('unreachable', String(thrown), { cause: thrown })
}
