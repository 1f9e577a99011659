/** Somebody who calls methods directly, with scopes the test chooses, and hears events. */
import { isRpcError, jsonCopy, refusalOf, type Caller, type GatewayEvent, type Json, type JsonObject, type Origin, type Scope } from '@isopod/plugin-api'
import { Call } from '@isopod/kernel/call.ts'
import type { Core } from '@isopod/kernel/core.ts'
import { dispatch } from '@isopod/kernel/dispatch.ts'
import type { EventSink } from '@isopod/kernel/events.ts'
import { check } from '@isopod/kernel/validators.ts'

export interface ClientOptions {
  /** Callers of the same id are the same credential. `test` unless said. */
  readonly id?: string
  /** All of them unless said. */
  readonly scopes?: readonly Scope[]
  readonly origin?: Origin
}

export class TestClient {
  /** Every event heard so far. */
  readonly events: GatewayEvent[] = []
  readonly #core: Core
  readonly #caller: Caller
  readonly #before: () => Promise<void>
  readonly #ear: EventSink = {
    hear: (event) => {
      this.events.push(event)
      for (const wake of this.#waiting.splice(0)) wake()
    },
  }
  readonly #waiting: (() => void)[] = []

  constructor(core: Core, options: ClientOptions, before: () => Promise<void>) {
    const { id = 'test', scopes = ['read', 'write', 'admin', 'approve'], origin = 'owner' } = options
    this.#core = core
    this.#caller = Object.freeze({ id, scopes: Object.freeze([...scopes]), origin })
    this.#before = before
  }

  /**
   * Calls a method as a client would, and checks its answer against the schema it declares.
   * @throws RpcError the refusal.
   */
  async call(method: string, params: JsonObject = {}, options: { readonly signal?: AbortSignal } = {}): Promise<Json> {
    await this.#before()
    const call = new Call({ core: this.#core, caller: this.#caller, method, sink: this.#ear })
    const leave = () => call.abandon()
    if (options.signal?.aborted) leave()
    options.signal?.addEventListener('abort', leave, { once: true })
    // Frozen, as what comes over a socket is.
    const given = jsonCopy(params, `the params of ${method}`, 'held') as JsonObject
    let answer: Json
    try {
      answer = (await dispatch(call, given)) as Json
    } finally {
      options.signal?.removeEventListener('abort', leave)
    }
    const misfit = check(call.generation.methods.get(method)?.item.result, answer)
    if (misfit) throw new Error(`${method} answered something its own \`result\` does not allow: ${misfit.message}`)
    return answer
  }

  /** The refusal a call gets, as data; fails where it succeeds. */
  async refusal(method: string, params: JsonObject = {}) {
    try {
      await this.call(method, params)
    } catch (thrown) {
      if (isRpcError(thrown)) return refusalOf(thrown)
      throw thrown
    }
    throw new Error(`${method} was not refused`)
  }

  /** The first event, past or to come, of this name. */
  async heard(name: string, fits: (event: GatewayEvent) => boolean = () => true): Promise<GatewayEvent> {
    for (;;) {
      const found = this.events.find((event) => event.name === name && fits(event))
      if (found) return found
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  /** Stops hearing, as a client whose socket was lost. */
  leave(): void {
    this.#core.events.forget(this.#ear)
  }
}
