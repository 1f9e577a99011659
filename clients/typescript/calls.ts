/**
 * Calls on a connection that comes and goes. A call waits while there is no link, and is sent when there is one. When the link
 * is lost, a call that only looks is sent again on the next; of any other nobody can say whether it was done, so it is
 * refused as `connection_lost`.
 */
import { waitBefore } from './backoff.ts'
import { GatewayError } from './gateway-error.ts'
import type { HttpOptions } from './http.ts'
import { field, type Json, type JsonObject } from './json.ts'
import type { Link } from './link.ts'
import { Patience, pause } from './patience.ts'
import { refusalIn } from './refusal.ts'

interface Call {
  readonly id: number
  readonly frame: object
  readonly idempotent: boolean
  isSent: boolean
  readonly resolve: (value: Json) => void
  readonly reject: (error: unknown) => void
}

/** Defaults of every call. */
export interface CallDefaults {
  readonly timeoutMs: number
  readonly retries: number
}

export class Calls {
  readonly #defaults: CallDefaults
  readonly #open = new Map<number, Call>()
  #link: Link | undefined
  #ending: GatewayError | undefined
  #ids = 0

  constructor(defaults: CallDefaults) {
    this.#defaults = defaults
  }

  /**
   * The payload of the reply.
   * @throws GatewayError the gateway's refusal, `timeout`, `connection_lost` or `closed`
   */
  async call(method: string, params: object, options: HttpOptions): Promise<Json> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#once(method, params, options)
      } catch (thrown) {
        // A lost link is no refusal: those calls were sent again where that was right.
        const isRefusal = thrown instanceof GatewayError && thrown.code !== 'connection_lost'
        const mayRepeat = options.idempotent === true && isRefusal && attempt < this.#defaults.retries
        const waitMs = mayRepeat ? waitBefore(attempt, thrown) : undefined
        if (waitMs === undefined) throw thrown
        await pause(waitMs, options.signal)
      }
    }
  }

  /** A reply has come, perhaps to one of these. */
  settle(frame: JsonObject): void {
    const call = this.#open.get(field(frame, 'id', 'number') ?? 0)
    if (!call) return
    this.#open.delete(call.id)
    if (field(frame, 'ok', 'boolean') === true) call.resolve(frame['payload'] ?? null)
    else call.reject(refusalIn(frame))
  }

  /** There is a link. */
  linked(link: Link): void {
    this.#link = link
    for (const call of this.#open.values()) this.#send(call)
  }

  /** The link is gone, and another may come. */
  lost(error: GatewayError): void {
    this.#link = undefined
    for (const call of this.#open.values()) {
      if (!call.isSent) continue
      if (call.idempotent) call.isSent = false
      else this.#refuse(call, new GatewayError('connection_lost', `${error.message}. Whether the call was carried out is not known`, { cause: error }))
    }
  }

  /** No other link will come. */
  end(error: GatewayError): void {
    this.#link = undefined
    this.#ending = error
    for (const call of this.#open.values()) this.#refuse(call, error)
  }

  async #once(method: string, params: object, { signal, timeoutMs = this.#defaults.timeoutMs, idempotent = false }: HttpOptions): Promise<Json> {
    if (this.#ending) throw this.#ending
    this.#ids += 1
    const id = this.#ids
    const patience = new Patience(signal)
    try {
      signal?.throwIfAborted()
      return await new Promise((resolve, reject) => {
        const call: Call = { id, frame: { id, method, params }, idempotent, isSent: false, resolve, reject }
        this.#open.set(id, call)
        patience.signal.addEventListener('abort', () => this.#refuse(call, patience.signal.reason), { once: true })
        patience.wait(timeoutMs, `to answer ${method}`)
        this.#send(call)
      })
    } finally {
      patience.end()
    }
  }

  #send(call: Call): void {
    if (!this.#link) return
    call.isSent = true
    this.#link.send(call.frame)
  }

  #refuse(call: Call, error: unknown): void {
    this.#open.delete(call.id)
    call.reject(error)
  }
}
