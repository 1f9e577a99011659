/**
 * Requests over HTTP: one that is answered in one piece, and one whose answer comes as events. Deadlines, repeated tries and
 * errors are settled here; which URLs there are, and what they say, is for others to know.
 */
import { waitBefore } from './backoff.ts'
import type { CallOptions, Settings } from './client-options.ts'
import { eventsIn, type ServerEvent } from './event-stream.ts'
import { GatewayError } from './gateway-error.ts'
import { parsed, type Json } from './json.ts'
import { Patience, pause } from './patience.ts'
import { refusalIn } from './refusal.ts'

/** A stream says something every 15 s, if only that it is there: after three silences nobody is. */
const SILENCE_MS = 45_000

/** What a request needs beside its path. */
export interface HttpOptions extends CallOptions {
  /** Whether it may be sent again; it is not unless said. */
  readonly idempotent?: boolean | undefined
}

/** One gateway, over HTTP. */
export class Http {
  readonly #settings: Settings

  constructor(settings: Settings) {
    this.#settings = settings
  }

  /**
   * The answer's JSON.
   * @throws GatewayError what the gateway refused with, `timeout`, `unreachable` or `connection_lost`
   */
  async post(path: string, body: object, options: HttpOptions = {}): Promise<Json> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#once(path, body, options)
      } catch (thrown) {
        const isLast = options.idempotent !== true || attempt >= this.#settings.retries
        const waitMs = !isLast && thrown instanceof GatewayError ? waitBefore(attempt, thrown) : undefined
        if (waitMs === undefined) throw thrown
        await pause(waitMs, options.signal)
      }
    }
  }

  /**
   * The events of an answer, as they come. Who stops reading closes the connection, and with it ends the run.
   * @throws GatewayError as `post` does; a stream that falls silent ends with `timeout`
   */
  async *events(path: string, body: object, { signal, timeoutMs = this.#settings.timeoutMs }: CallOptions = {}): AsyncGenerator<ServerEvent, void> {
    const patience = new Patience(signal)
    try {
      patience.wait(timeoutMs, 'to begin its answer')
      const response = await this.#send(path, body, 'text/event-stream', patience.signal)
      if (!response.ok) throw await errorOf(response)
      if (!response.body || !/^text\/event-stream\b/.test(response.headers.get('content-type') ?? '')) {
        throw new GatewayError('bad_answer', `${path} was asked for a stream of events and answered something else`, { status: response.status })
      }
      const listen = (): void => patience.wait(SILENCE_MS, 'to go on with its answer')
      listen()
      yield* eventsIn(response.body, listen)
    } catch (thrown) {
      throw this.#wordsFor(thrown, patience.signal)
    } finally {
      patience.end()
    }
  }

  async #once(path: string, body: object, { signal, timeoutMs = this.#settings.timeoutMs }: HttpOptions): Promise<Json> {
    const patience = new Patience(signal)
    try {
      patience.wait(timeoutMs, `to answer ${path}`)
      const response = await this.#send(path, body, 'application/json', patience.signal)
      if (!response.ok) throw await errorOf(response)
      const answer = parsed(await response.text())
      if (answer === undefined) {
        throw new GatewayError('bad_answer', `${path} answered something that is no JSON`, { status: response.status })
      }
      return answer
    } catch (thrown) {
      throw this.#wordsFor(thrown, patience.signal)
    } finally {
      patience.end()
    }
  }

  #send(path: string, body: object, accept: string, signal: AbortSignal): Promise<Response> {
    const { baseUrl, token } = this.#settings
    const headers = { 'content-type': 'application/json', accept, ...(token !== undefined && { authorization: `Bearer ${token}` }) }
    // No gateway sends anybody elsewhere, and the token is not for whoever does.
    return fetch(new URL(path.slice(1), baseUrl), { method: 'POST', headers, body: JSON.stringify(body), signal, redirect: 'error' })
  }

  /** What `fetch` throws, as the error it means. */
  #wordsFor(thrown: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason
    if (thrown instanceof GatewayError) return thrown
    const cause = thrown instanceof Error ? (thrown.cause ?? thrown) : thrown
    const why = cause instanceof Error ? cause.message : String(cause)
    // Node says which of the two it was; browsers do not tell a page.
    const isLost = /terminated|socket|reset|aborted|EPIPE|other side/i.test(`${why} ${String(thrown)}`)
    return isLost
      ? new GatewayError('connection_lost', `The connection broke off before the answer was complete: ${why}`, { cause: thrown })
      : new GatewayError('unreachable', `The gateway at ${this.#settings.baseUrl.origin} cannot be reached: ${why}`, { cause: thrown })
  }
}

async function errorOf(response: Response): Promise<GatewayError> {
  const wait = Number.parseFloat(response.headers.get('retry-after') ?? '')
  return refusalIn(parsed(await response.text()), { status: response.status, retryAfter: Number.isNaN(wait) ? undefined : wait })
}
