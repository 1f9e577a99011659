/**
 * One server-sent stream: the events of a call and then its outcome, each spelled by the row that was asked. Nothing is sent
 * before the first frame is there, so a call that is refused at once still gets a plain refusal with its status. A reader
 * that is behind makes events wait, and those that may be joined are. After the first, the frames of one turn leave in one piece.
 */
import { RpcError, type GatewayEvent, type Json, type Outcome, type Route, type StreamFrame } from '@isopod/plugin-api'
import { Backlog, type Waiting } from '../backlog.ts'
import type { Clock } from '../clock.ts'
import { spelledInTime } from '../deadline.ts'
import type { EventSink } from '../events.ts'
import { BACKPRESSURE_BYTES } from '../limits.ts'
import type { BodyWriter, Exchange } from '../transport/exchange.ts'
import { replyOutcome, replyThrown } from './reply.ts'

interface Ending {
  readonly kind: 'outcome'
  readonly outcome: Outcome
}

const STREAM_HEADERS = Object.freeze({
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  // nginx holds streams back unless told not to.
  'x-accel-buffering': 'no',
})

/** Proxies drop a connection on which nothing is said for 30 to 60 s. */
const KEEP_ALIVE_MS = 15_000

/** Characters. What is spelled stands in no backlog's count, so a turn without an end must not gather more. */
const PIECE_LENGTH = 64 * 1024

export interface StreamParts {
  readonly exchange: Exchange
  readonly encode: NonNullable<Route['encode']>
  /** What the row made of the request, for its `encode`. */
  readonly state: Json
  readonly clock: Clock
  /** Nothing more can be said: the row failed to spell something, or its reader has gone. Called once at most. */
  readonly failed: (thrown: unknown) => void
}

export class EventStream implements EventSink {
  readonly #parts: StreamParts
  readonly #backlog = new Backlog<Ending>()
  readonly #done = Promise.withResolvers<void>()
  #state: Json
  #writer: BodyWriter | undefined
  /** The frames of this turn, not yet written. */
  #piece = ''
  /** The reader has not taken what was written last. */
  #behind: Promise<void> | undefined
  #pumping = false
  #over = false
  #stopKeepAlive: (() => void) | undefined

  constructor(parts: StreamParts) {
    this.#parts = parts
    this.#state = parts.state
  }

  get waiting(): number {
    return this.#backlog.characters
  }

  hear(event: GatewayEvent): void {
    this.#push({ kind: 'event', event })
  }

  /** Says how the call ended, after all events before it. Resolves once the last byte has been handed over. */
  end(outcome: Outcome): Promise<void> {
    this.#push({ kind: 'outcome', outcome })
    return this.#done.promise
  }

  #push(item: Waiting<Ending>): void {
    if (this.#over) return
    this.#backlog.push(item)
    if (this.#backlog.characters > BACKPRESSURE_BYTES) this.#fail(new RpcError('cancelled', 'The reader of a stream is too far behind'))
    else void this.#pump()
  }

  /** One at a time, in order, no faster than the reader takes it. */
  async #pump(): Promise<void> {
    if (this.#pumping) return
    this.#pumping = true
    try {
      for (;;) {
        while (this.#behind) await this.#behind
        const item = this.#backlog.shift()
        if (!item) break
        await this.#say(item)
      }
    } catch (thrown) {
      this.#fail(thrown)
    }
    this.#pumping = false
  }

  async #say(item: Waiting<Ending>): Promise<void> {
    const { exchange, encode, clock } = this.#parts
    const who = `The row of ${exchange.path}`
    const spelled = await spelledInTime(encode(item, this.#state, clock.now()), clock, who)
    if (this.#over) return
    // A stream that has not begun is no stream: its refusal has a status, and the row may spell that and nothing else.
    const isRefused = item.kind === 'outcome' && !item.outcome.ok && !this.#writer
    const encoded = isRefused && spelled?.frames ? undefined : spelled
    if (encoded?.state !== undefined) this.#state = encoded.state
    if (encoded?.frames && encoded.frames.length > 0) this.#spell(encoded.frames)
    if (item.kind !== 'outcome') return
    this.#write()
    await this.#behind
    if (this.#over) return
    // A row that spells no frames has answered like any other; one that had nothing to say has said so.
    if (encoded?.frames) this.#open()
    else if (!this.#writer) replyOutcome(exchange, item.outcome, encoded)
    this.#finish()
  }

  #spell(frames: readonly StreamFrame[]): void {
    const isFirst = !this.#writer
    this.#open()
    // One read from a model's connection may bring many events; this runs when all promises it settled have been followed.
    if (this.#piece === '' && !isFirst) process.nextTick(() => this.#write())
    this.#piece += frames.map(frameText).join('')
    if (isFirst || this.#piece.length > PIECE_LENGTH) this.#write()
  }

  #write(): void {
    if (this.#piece === '' || !this.#writer) return
    const behind = this.#writer.write(this.#piece)
    this.#piece = ''
    this.#behind = behind
    behind.then(() => {
      if (this.#behind === behind) this.#behind = undefined
    }, (thrown: unknown) => this.#fail(thrown))
  }

  #open(): BodyWriter {
    if (this.#writer) return this.#writer
    const writer = this.#parts.exchange.stream(200, STREAM_HEADERS)
    this.#writer = writer
    this.#stopKeepAlive = this.#parts.clock.every(KEEP_ALIVE_MS, () => {
      if (!this.#pumping && !this.#behind) writer.write(': still here\n\n').catch(() => {})
    })
    return writer
  }

  #fail(thrown: unknown): void {
    if (this.#over) return
    replyThrown(this.#parts.exchange, thrown)
    this.#finish()
    this.#parts.failed(thrown)
  }

  #finish(): void {
    this.#over = true
    this.#stopKeepAlive?.()
    this.#backlog.clear()
    this.#write()
    this.#writer?.end()
    this.#done.resolve()
  }
}

/** One event of the HTML standard's event stream format (9.2.6). A text may hold line breaks; a name or id may not. */
function frameText({ event, id, data }: StreamFrame): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data)
  const lines = text.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`)
  return `${field('event', event)}${field('id', id)}${lines.join('')}\n`
}

function field(name: string, value: string | undefined): string {
  return value === undefined ? '' : `${name}: ${value.replaceAll(/[\r\n\0]/g, ' ')}\n`
}
