/**
 * Serves the entries into one plugin: finds the function, gives it its context, and tells how it ended. Plugin code is
 * entered here and nowhere else on this side, so this is also where what it throws becomes a refusal or a bug. It needs
 * nothing of Node, so it can stand in an isolate as it is.
 */
import { errorOf, jsonCopy, RpcError, type Context, type Json } from '@isopod/plugin-api'
import { Bridge } from './bridge.ts'
import { contextFor } from './context.ts'
import { failureOf, type Failure } from './failure.ts'
import { Outflow } from './flow.ts'
import type { Enter, FromChild, ToChild } from './messages.ts'
import type { Entrance, Recorder } from './recorder.ts'

export interface GuestParts {
  /** `weather 1.4.0`, for messages. */
  readonly label: string
  readonly registered: Recorder
  readonly send: (message: FromChild) => void
  readonly sendBytes: (stream: number, bytes: Uint8Array) => void
  /** Puts what was thrown into words for somebody who does not know the wall. */
  readonly explain: (thrown: unknown) => unknown
}

export class Guest {
  readonly #parts: GuestParts
  readonly #bridge: Bridge
  readonly #stops = new Map<number, AbortController>()
  readonly #outflows = new Map<number, Outflow<Json | Uint8Array>>()

  constructor(parts: GuestParts) {
    this.#parts = parts
    this.#bridge = new Bridge(parts.send)
  }

  /** Takes the next message. What concerns an entry or op that has ended is let pass: the two sides are never in step. */
  receive(message: ToChild): void {
    switch (message.type) {
      case 'enter':
        return void this.#enter(message)
      case 'abort':
        return this.#stops.get(message.entry)?.abort(errorOf(message.refusal))
      case 'credit':
        return this.#outflows.get(message.stream)?.grant(message.count)
      case 'leave':
        return this.#left(message.stream)
      case 'answer':
        return this.#bridge.answered(message)
      case 'item':
        return this.#bridge.item(message.stream, message.value)
      case 'end':
        return this.#bridge.ended(message.stream, message.refusal)
      case 'ping':
        return this.#parts.send({ type: 'pong', beat: message.beat })
      case 'load':
        return // a child holds one plugin, which is loaded already
    }
  }

  async #enter(message: Enter): Promise<void> {
    const { entry } = message
    const stop = new AbortController()
    this.#stops.set(entry, stop)
    try {
      const entrance = this.#entrance(message)
      if (message.credit === undefined) await this.#answer(message, entrance, stop.signal)
      else this.#stream(message, entrance, stop.signal, message.credit)
    } catch (thrown) {
      this.#parts.send({ type: 'refusal', entry, ...this.#failure(thrown) })
    } finally {
      if (!this.#outflows.has(entry)) this.#stops.delete(entry)
    }
  }

  async #answer(message: Enter, { run, where }: Entrance, signal: AbortSignal): Promise<void> {
    const answer = await run(message.args, this.#context(message, signal))
    const value = answer === undefined ? {} : { value: jsonCopy(answer, where) }
    this.#parts.send({ type: 'result', entry: message.entry, ...value })
  }

  #stream(message: Enter, { run, where }: Entrance, signal: AbortSignal, credit: number): void {
    const { entry } = message
    const items = run(message.args, this.#context(message, signal))
    if (!isStream(items)) throw new RpcError('internal', `${where} answered no stream`)
    const outflow = new Outflow({
      items,
      credit,
      send: (item) => this.#item(entry, item, where),
      end: (failure) => {
        this.#outflows.delete(entry)
        this.#stops.delete(entry)
        this.#parts.send({ type: 'end', stream: entry, ...(failure && this.#failure(failure.thrown)) })
      },
    })
    this.#outflows.set(entry, outflow)
  }

  #item(stream: number, item: Json | Uint8Array, where: string): void {
    if (item instanceof Uint8Array) this.#parts.sendBytes(stream, item)
    else this.#parts.send({ type: 'item', stream, value: jsonCopy(item, where) })
  }

  #failure(thrown: unknown): Failure {
    return failureOf(this.#parts.explain(thrown))
  }

  #left(entry: number): void {
    this.#stops.get(entry)?.abort(new RpcError('cancelled', 'Nobody reads on'))
    this.#outflows.get(entry)?.leave()
  }

  #entrance({ target }: Enter): Entrance {
    const entrance = this.#parts.registered.entrance(target)
    if (!entrance) throw new RpcError('internal', `${this.#parts.label} has no ${target.kind} ${target.name}`)
    return entrance
  }

  #context({ entry, context }: Enter, signal: AbortSignal): Context {
    const given = context ?? NOBODY
    return contextFor({ entry, given, signal, bridge: this.#bridge, label: this.#parts.label })
  }
}

/** For functions that take no context: it is made and not handed over. */
const NOBODY: NonNullable<Enter['context']> = Object.freeze({
  caller: Object.freeze({ id: 'public', scopes: Object.freeze([]), origin: 'automation' }),
  config: Object.freeze({}),
  now: 0,
})

function isStream(value: unknown): value is AsyncIterable<Json | Uint8Array> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}
