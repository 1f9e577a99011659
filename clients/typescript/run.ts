/**
 * One run on a connection, from its start to its end, however often the connection is lost meanwhile. It keeps the number of the
 * last event it has heard and the text so far, so that nothing is told twice and nothing is left out when it is taken up
 * again. It knows no socket.
 */
import type { Usage } from './agent.ts'
import { EventQueue } from './event-queue.ts'
import type { EventFrame, GatewayEvent } from './gateway-event.ts'
import { GatewayError } from './gateway-error.ts'
import { field, isRecord, type JsonObject } from './json.ts'
import { refusalIn } from './refusal.ts'

/** What a run came to. */
export interface RunResult {
  readonly runId: string
  readonly sessionKey: string
  /** The whole answer; where events were missed while it was open, without what they said. */
  readonly response: string
  readonly usage: Usage
  /** How many of its events can never be heard, because the gateway had let go of them: 0 unless this side was away for long. */
  readonly missed: number
}

/** What the run needs of its connection. */
export interface RunParts {
  /** Asks the gateway to stop it; never rejects. */
  readonly abort: (runId: string) => void
  /** It is over: nothing more has to be kept for it. */
  readonly over: (run: Run) => void
  readonly signal: AbortSignal | undefined
}

/** Its events can be read once, by `for await`. Leaving that loop aborts the run; so do `abort()` and the signal. */
export class Run implements AsyncIterable<GatewayEvent> {
  /** Resolves when it is done. Rejects with a GatewayError: `cancelled`, `interrupted`, or what the run failed with. */
  readonly result: Promise<RunResult>
  /** Resolves once the gateway has begun it. */
  readonly started: Promise<{ readonly runId: string; readonly sessionKey: string }>
  readonly #parts: RunParts
  readonly #queue = new EventQueue()
  readonly #onAbort: () => void
  #begun!: (names: { readonly runId: string; readonly sessionKey: string }) => void
  #done!: (result: RunResult) => void
  readonly #failed: ((error: unknown) => void)[] = []
  #runId: string | undefined
  #sessionKey = ''
  #text = ''
  #whole: string | undefined
  #lastSeq = 0
  #missed = 0
  #isOver = false

  /** @param runId of one that has begun already. */
  constructor(parts: RunParts, runId?: string) {
    this.#parts = parts
    this.#runId = runId
    this.started = this.#promised((resolve) => (this.#begun = resolve))
    this.result = this.#promised((resolve) => (this.#done = resolve))
    const { signal } = parts
    this.#onAbort = () => this.#stop(signal?.reason)
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (signal?.aborted) this.#onAbort()
  }

  /** The run's id; undefined until the gateway has begun it. */
  get runId(): string | undefined {
    return this.#runId
  }

  /** The number of the last event heard. */
  get lastSeq(): number {
    return this.#lastSeq
  }

  /** Whether it has ended, however. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Stops the run at the gateway. What it had said is kept there. */
  abort(): void {
    this.#stop(new GatewayError('cancelled', 'The run was aborted', { status: 409 }))
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<GatewayEvent, void> {
    try {
      yield* this.#queue.read()
    } finally {
      this.abort()
    }
  }

  /** @internal The gateway has given it a name. */
  begin(runId: string, sessionKey: string): void {
    this.#runId = runId
    this.#sessionKey = sessionKey
    this.#begun({ runId, sessionKey })
    // It was stopped before anybody could say which run to stop.
    if (this.#isOver) this.#parts.abort(runId)
  }

  /** @internal Takes an event in; answers whether it was new. */
  hear(frame: EventFrame): boolean {
    const { seq = this.#lastSeq + 1, type, data } = frame
    if (this.#isOver || seq <= this.#lastSeq) return false
    this.#lastSeq = seq
    this.#meet(data)
    if (type === 'chat.error') {
      this.fail(refusalIn(data))
      return true
    }
    if (type === 'chat.delta') this.#text += field(data, 'delta', 'string') ?? ''
    // The gateway's events have these shapes; one of a newer gateway passes as it is.
    this.#queue.push({ type, data, seq } as unknown as GatewayEvent)
    if (type === 'chat.done') this.#finish(data)
    return true
  }

  /** @internal What `chat.resume` says of a run, and the events that came with it. */
  takeUp(kept: JsonObject, events: readonly EventFrame[]): void {
    this.#meet(kept)
    this.#miss((field(kept, 'firstSeq', 'number') ?? 0) - 1 - this.#lastSeq)
    if (field(kept, 'status', 'string') === 'done') this.#whole = field(kept, 'response', 'string')
    for (const event of events) this.hear(event)
    this.#conclude(kept)
  }

  /** One that is over and whose end was not heard is brought to its end from what is kept: the rest of its text first. */
  #conclude(kept: JsonObject): void {
    const status = field(kept, 'status', 'string')
    if (this.#isOver || status === 'open') return
    const names = { runId: this.#runId ?? '', sessionKey: this.#sessionKey }
    const response = field(kept, 'response', 'string') ?? ''
    const rest = response.startsWith(this.#text) ? response.slice(this.#text.length) : ''
    if (rest !== '') this.hear({ type: 'chat.delta', data: { ...names, delta: rest }, seq: undefined })
    if (status === 'done') this.hear({ type: 'chat.done', data: { ...names, usage: kept['usage'] ?? null }, seq: undefined })
    else this.fail(endedAs(status, kept))
  }

  /** @internal */
  fail(error: unknown): void {
    if (!this.#end()) return
    this.#queue.end({ error })
    for (const reject of this.#failed) reject(error)
  }

  /** One that is only followed learns its session from what it hears first. */
  #meet(data: JsonObject): void {
    const sessionKey = field(data, 'sessionKey', 'string')
    if (this.#sessionKey === '' && sessionKey !== undefined) this.begin(this.#runId ?? '', sessionKey)
  }

  /** Joined events skip numbers; only the gateway knows which it has let go of. */
  #miss(missed: number): void {
    if (this.#isOver || missed <= 0) return
    this.#missed += missed
    this.#lastSeq += missed
    this.#queue.push({ type: 'chat.gap', data: { runId: this.#runId ?? '', sessionKey: this.#sessionKey, missed }, seq: this.#lastSeq })
  }

  #finish(done: JsonObject): void {
    if (!this.#end()) return
    this.#queue.end()
    // The gateway counts in these names wherever it counts.
    const usage = done['usage'] as unknown as Usage
    this.#done({ runId: this.#runId ?? '', sessionKey: this.#sessionKey, response: this.#whole ?? this.#text, usage, missed: this.#missed })
  }

  #stop(reason: unknown): void {
    if (this.#isOver) return
    if (this.#runId !== undefined) this.#parts.abort(this.#runId)
    this.fail(reason)
  }

  /** Whether it had not ended before. */
  #end(): boolean {
    if (this.#isOver) return false
    this.#isOver = true
    this.#parts.signal?.removeEventListener('abort', this.#onAbort)
    this.#parts.over(this)
    return true
  }

  /** Nobody has to look at it: a failure that only the loop heard is no unhandled one. */
  #promised<Value>(take: (resolve: (value: Value) => void) => void): Promise<Value> {
    const promise = new Promise<Value>((resolve, reject) => {
      take(resolve)
      this.#failed.push(reject)
    })
    promise.catch(() => {})
    return promise
  }
}

function endedAs(status: string | undefined, kept: JsonObject): GatewayError {
  if (status === 'interrupted') return new GatewayError('interrupted', 'The gateway stopped while the run was open', { details: { response: kept['response'] } })
  if (status === 'aborted') return new GatewayError('cancelled', 'The run was aborted', { status: 409 })
  return isRecord(kept['error']) ? refusalIn(kept) : new GatewayError('internal', 'The run failed, and why is not known', { status: 500 })
}
