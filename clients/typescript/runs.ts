/**
 * The runs of one connection: which there are, which event belongs to which, and how they are taken up again on a new link. A run
 * is asked for the events after the last it has heard, always anew, so that a question that was lost is not repeated with an
 * old number.
 */
import type { RunRequest } from './agent.ts'
import type { Calls } from './calls.ts'
import type { EventFrame } from './gateway-event.ts'
import { GatewayError } from './gateway-error.ts'
import { field, isRecord } from './json.ts'
import { pause } from './patience.ts'
import { Run } from './run.ts'

/** Events of a run that came before it is known which are missing. */
interface Held {
  readonly events: EventFrame[]
  /** The number of the last that everybody has been told. */
  told: number
}

export class Runs {
  readonly #calls: Calls
  readonly #open = new Map<string, Run>()
  /** Runs that were asked for again and not answered yet. */
  readonly #resuming = new Map<string, Held>()
  /** Runs whose name is still to come. */
  readonly #starting = new Set<Run>()
  /** Events of runs that may be one of those. */
  #early: EventFrame[] = []

  constructor(calls: Calls) {
    this.#calls = calls
  }

  /** Starts one at the gateway. Never throws: the run fails. */
  start(request: RunRequest, signal: AbortSignal | undefined): Run {
    const run = this.#made(signal)
    if (!run.isOver) void this.#start(run, request)
    return run
  }

  /** Follows one that somebody started. Never throws: the run fails. */
  follow(runId: string, signal: AbortSignal | undefined): Run {
    const run = this.#made(signal, runId)
    if (run.isOver) return run
    this.#open.set(runId, run)
    void this.#resume(runId, run)
    return run
  }

  /** Gives an event to the run it belongs to; answers whether it is new to everybody. */
  hear(event: EventFrame): boolean {
    const runId = field(event.data, 'runId', 'string')
    if (runId === undefined) return true
    const run = this.#open.get(runId)
    const held = this.#resuming.get(runId)
    if (held) return hold(event, held)
    if (run) return run.hear(event)
    if (this.#starting.size > 0) this.#early.push(event)
    return true
  }

  /** There is a new link, which follows no run yet. */
  linked(): void {
    for (const [runId, run] of this.#open) void this.#resume(runId, run)
  }

  /** No other link will come. */
  end(error: GatewayError): void {
    for (const run of [...this.#open.values(), ...this.#starting]) run.fail(error)
  }

  #made(signal: AbortSignal | undefined, runId?: string): Run {
    const abort = (stopped: string): void => {
      // Where it cannot be said, the link is gone for good, and the run belongs to the gateway.
      this.#calls.call('chat.abort', { runId: stopped }, { idempotent: true }).catch(() => {})
    }
    return new Run({ abort, signal, over: (run) => this.#forget(run) }, runId)
  }

  async #start(run: Run, request: RunRequest): Promise<void> {
    this.#starting.add(run)
    try {
      const answer = await this.#calls.call('chat.start', request, {})
      const runId = isRecord(answer) ? field(answer, 'runId', 'string') : undefined
      if (!isRecord(answer) || runId === undefined) throw new GatewayError('bad_answer', 'chat.start answered no run')
      if (!run.isOver) this.#open.set(runId, run)
      run.begin(runId, field(answer, 'sessionKey', 'string') ?? '')
      for (const event of this.#early) if (event.data['runId'] === runId) run.hear(event)
    } catch (thrown) {
      run.fail(thrown)
    } finally {
      this.#starting.delete(run)
      if (this.#starting.size === 0) this.#early = []
    }
  }

  async #resume(runId: string, run: Run): Promise<void> {
    const held: Held = { events: [], told: this.#resuming.get(runId)?.told ?? run.lastSeq }
    this.#resuming.set(runId, held)
    try {
      const kept = await this.#calls.call('chat.resume', { runId, after: run.lastSeq }, {})
      this.#resuming.delete(runId)
      if (isRecord(kept)) run.takeUp(kept, held.events)
      else run.fail(new GatewayError('bad_answer', 'chat.resume answered no run'))
    } catch (thrown) {
      if (!(thrown instanceof GatewayError)) return run.fail(thrown)
      // The next link asks again.
      if (thrown.code === 'connection_lost') return
      if (!thrown.retryable) return run.fail(thrown)
      await pause((thrown.retryAfter ?? 1) * 1000, undefined)
      if (!run.isOver) await this.#resume(runId, run)
    }
  }

  #forget(run: Run): void {
    if (run.runId === undefined || this.#open.get(run.runId) !== run) return
    this.#open.delete(run.runId)
    this.#resuming.delete(run.runId)
  }
}

/** Answers whether it is new to everybody. */
function hold(event: EventFrame, held: Held): boolean {
  held.events.push(event)
  const { seq = held.told + 1 } = event
  if (seq <= held.told) return false
  held.told = seq
  return true
}
