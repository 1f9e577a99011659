/**
 * What happens, told to whoever asked to hear it. An event of a run goes to those who follow that run; any other goes to
 * everyone who subscribed to its name and may read. It knows neither sockets nor streams: a listener is a sink.
 */
import type { Caller, GatewayEvent, JsonObject } from '@isopod/plugin-api'
import type { Clock } from './clock.ts'
import { Runs } from './runs.ts'

/** One client's ear. `hear` never throws and never waits; whoever is behind it keeps its own bounded queue. */
export interface EventSink {
  hear(event: GatewayEvent): void
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

  /** Adds names to what a sink hears, for a caller with the scope `read`. */
  subscribe(sink: EventSink, caller: Caller, names: Iterable<string>): readonly string[] {
    const subscription = this.#subscriptions.get(sink) ?? { caller, names: new Set<string>() }
    for (const name of names) subscription.names.add(name)
    this.#subscriptions.set(sink, subscription)
    return [...subscription.names]
  }

  unsubscribe(sink: EventSink, names: Iterable<string>): readonly string[] {
    const subscription = this.#subscriptions.get(sink)
    if (!subscription) return []
    for (const name of names) subscription.names.delete(name)
    if (subscription.names.size === 0) this.#subscriptions.delete(sink)
    return [...subscription.names]
  }

  /**
   * Tells an event: one whose data names a run to that run's followers, any other to its subscribers. What is said of a
   * run that is over reaches nobody: it may belong to another caller.
   */
  tell(name: string, data: JsonObject, join?: string): void {
    const event = { name, data, ...(join !== undefined && { join }) }
    const { runId } = data
    if (typeof runId === 'string') {
      this.runs.tell(runId, event)
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
