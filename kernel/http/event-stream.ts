/**
 * One server-sent stream: the events of a call and then its outcome, each spelled by the row that was asked. Nothing is sent
 * before the first frame is there, so a call that is refused at once still gets a plain refusal with its status. A reader
 * that is behind makes events wait, and those that may be joined are.
 */
import type { GatewayEvent, Json, Outcome, Route, RouteEncoded, StreamFrame } from '@isopod/plugin-api'
import { Backlog } from '../backlog.ts'
import type { Clock } from '../clock.ts'
import type { EventSink } from '../events.ts'
import type { BodyWriter, Exchange } from '../transport/exchange.ts'
import { replyRefusal } from './reply.ts'

type Ending = { readonly kind: 'outcome'; readonly outcome: Outcome }

const STREAM_HEADERS = Object.freeze({
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  // nginx holds streams back unless told not to.
  'x-accel-buffering': 'no',
})

/** Proxies drop a connection on which nothing is said for 30 to 60 s. */
const KEEP_ALIVE_MS = 15_000

export class EventStream implements EventSink {
  readonly #exchange: Exchange
  readonly #encode: NonNullable<Route['encode']>
  readonly #clock: Clock
  readonly #backlog = new Backlog<Ending>()
  #state: Json
  #writer: BodyWriter | undefined
  #pumping = false
  #stopKeepAlive: (() => void) | undefined
  #ended: (() => void) | undefined
  readonly #done = new Promise<void>((resolve) => {
    this.#ended = resolve
  })

  constructor(exchange: Exchange, encode: NonNullable<Route['encode']>, state: Json, clock: Clock) {
    this.#exchange = exchange
    this.#encode = encode
    this.#state = state
    this.#clock = clock
  }

  hear(event: GatewayEvent): void {
    this.#backlog.push({ kind: 'event', event })
    void this.#pump()
  }

  /** Says how the call ended, after all events before it. Resolves once the last byte has been handed over. */
  async end(outcome: Outcome): Promise<void> {
    this.#backlog.push({ kind: 'outcome', outcome })
    void this.#pump()
    await this.#done
  }

  /** One at a time, in order, no faster than the reader takes it. */
  async #pump(): Promise<void> {
    if (this.#pumping) return
    this.#pumping = true
    try {
      for (let item = this.#backlog.shift(); item; item = this.#backlog.shift()) {
        if (item.kind === 'outcome' && !item.outcome.ok && !this.#writer) {
          replyRefusal(this.#exchange, item.outcome.refusal)
          this.#finish()
          return
        }
        await this.#send(await this.#encode(item, this.#state, this.#clock.now()))
        if (item.kind === 'outcome') this.#finish()
      }
    } catch {
      // The reader has gone, or the row could not spell it; either way nothing more can be said here.
      this.#finish()
    } finally {
      this.#pumping = false
    }
  }

  async #send(encoded: RouteEncoded | undefined): Promise<void> {
    if (!encoded) return
    if (encoded.state !== undefined) this.#state = encoded.state
    if (!encoded.frames || encoded.frames.length === 0) return
    await this.#open().write(encoded.frames.map(frameText).join(''))
  }

  #open(): BodyWriter {
    if (this.#writer) return this.#writer
    const writer = this.#exchange.stream(200, STREAM_HEADERS)
    this.#writer = writer
    this.#stopKeepAlive = this.#clock.every(KEEP_ALIVE_MS, () => {
      if (!this.#pumping) writer.write(': still here\n\n').catch(() => {})
    })
    return writer
  }

  #finish(): void {
    this.#stopKeepAlive?.()
    this.#backlog.clear()
    this.#writer?.end()
    this.#ended?.()
  }
}

/** One event of the HTML standard's event stream format (9.2.6). A text may hold line breaks; a name or id may not. */
function frameText({ event, id, data }: StreamFrame): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data)
  const lines = text.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`)
  return `${event === undefined ? '' : `event: ${event}\n`}${id === undefined ? '' : `id: ${id}\n`}${lines.join('')}\n`
}
