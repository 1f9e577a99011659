/**
 * What happens, told to whoever asked to hear it. An event of a run goes to those who follow that run; any other goes to
 * everyone who subscribed to its name and may read. It knows neither sockets nor streams: a listener is a sink.
 */
import { RpcError, type Caller, type GatewayEvent, type JsonObject } from '@isopod/plugin-api'
import type { Clock } from './clock.ts'
import { SUBSCRIBED_NAMES } from './limits.ts'
import { Runs } from './runs.ts'

/** One client's ear. `hear` never throws and never waits; whoever is behind it keeps its own bounded queue. */
export interface EventSink {
  hear(event: GatewayEvent): void
  /** Characters that wait in that queue, for who can leave things out where a reader is behind. */
  readonly waiting?: number
}

interface Subscription {
  readonly caller: Caller
  readonly names: Set<string>
}

export class Events {
  readonly runs: Runs
  readonly #subscriptions = new Map<EventSink, Subscription>()

  constructor(clock: Clock) {
    this.runs = new Runs(clock)
  }

  /**
   * Adds names to what a sink hears, for a caller with the scope `read`.
   * @throws RpcError `invalid_request` where they are more than any client needs; none is added then.
   */
  subscribe(sink: EventSink, caller: Caller, names: Iterable<string>): readonly string[] {
    const all = new Set([...(this.#subscriptions.get(sink)?.names ?? []), ...names])
    if (all.size > SUBSCRIBED_NAMES) {
      throw new RpcError('invalid_request', `One client may subscribe to ${SUBSCRIBED_NAMES} events`, { param: 'events' })
    }
    this.#subscriptions.set(sink, { caller, names: all })
    return [...all]
  }

  unsubscribe(sink: EventSink, names: Iterable<string>): readonly string[] {
    const subscription = this.#subscriptions.get(sink)
    if (!subscription) return []
    for (const name of names) subscription.names.delete(name)
    if (subscription.names.size === 0) this.#subscriptions.delete(sink)
    return [...subscription.names]
  }

  /** Whether a sink has subscribed to a name. */
  hears(sink: EventSink, name: string): boolean {
    return this.#subscriptions.get(sink)?.names.has(name) === true
  }

  /**
   * Tells an event: one whose data names a run to that run's followers, any other to its subscribers. What is said of a
   * run that is over, or is another caller's than the teller's, reaches nobody.
   * @param teller on whose behalf; the kernel's own word needs nobody's.
   */
  tell(name: string, data: JsonObject, join?: string, teller?: Caller): void {
    const event = { name, data, ...(join !== undefined && { join }) }
    const { runId } = data
    if (typeof runId === 'string') {
      this.runs.tell(runId, event, teller)
      return
    }
    for (const [sink, subscription] of this.#subscriptions) {
      if (subscription.names.has(name)) sink.hear({ ...event, seq: 0 })
    }
  }

  /** The client behind a sink has gone. */
  forget(sink: EventSink): void {
    this.#subscriptions.delete(sink)
    this.runs.forget(sink)
  }
}
