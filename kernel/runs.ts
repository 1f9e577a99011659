/**
 * Runs: calls whose events have numbers and a memory. While a run is open, and for a while after, whoever may hear it can
 * come back and say what it has already; the kernel keeps the last events and no more. To a caller that neither opened the
 * run nor has the scope `admin`, it does not exist.
 */
import { RpcError, type Caller, type GatewayEvent, type JsonObject, type RunState } from '@isopod/plugin-api'
import type { Clock } from './clock.ts'
import type { EventSink } from './events.ts'
import { RUN_EVENTS, RUN_RETENTION_MS, RUNS_KEPT } from './limits.ts'

interface Run {
  readonly id: string
  readonly about: JsonObject
  readonly owner: string
  /** The last events, in a ring: `placeOf` says where one of them is. */
  readonly kept: GatewayEvent[]
  /** Who hears it, and after which event each began. */
  readonly followers: Map<EventSink, number>
  lastSeq: number
  /** Stops the call it is; undefined once that has ended, so that a run that is only remembered holds nothing of it. */
  cancel: (() => void) | undefined
}

export class Runs {
  readonly #runs = new Map<string, Run>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many are open. */
  get open(): number {
    let count = 0
    for (const run of this.#runs.values()) if (run.cancel) count += 1
    return count
  }

  /** Opens a run for a caller. `cancel` stops the call it is; `sink` hears it from the start. */
  begin(caller: Caller, about: JsonObject, cancel: () => void, sink: EventSink | undefined): string {
    const run: Run = { id: this.#clock.id(), about, owner: caller.id, cancel, kept: [], followers: new Map(), lastSeq: 0 }
    if (sink) run.followers.set(sink, 0)
    this.#runs.set(run.id, run)
    this.#makeRoom()
    return run.id
  }

  /** The call has ended; what was heard can still be heard for a while. */
  end(runId: string): void {
    const run = this.#runs.get(runId)
    if (!run?.cancel) return
    run.cancel = undefined
    run.followers.clear()
    this.#clock.after(RUN_RETENTION_MS, () => this.#runs.delete(runId))
  }

  /** Numbers an event of an open run, keeps it and tells its followers. Of a run that is not open, or not the teller's, nothing is told. */
  tell(runId: string, event: Omit<GatewayEvent, 'seq' | 'runId'>, teller?: Caller): void {
    const run = this.#runs.get(runId)
    if (!run?.cancel || (teller && !mayHear(run, teller))) return
    run.lastSeq += 1
    const told = { ...event, runId, seq: run.lastSeq } satisfies GatewayEvent
    run.kept[placeOf(told.seq)] = told
    for (const follower of run.followers.keys()) follower.hear(told)
  }

  /** @throws RpcError `not_found` */
  abort(runId: string, caller: Caller): boolean {
    const { cancel } = this.#visible(runId, caller)
    cancel?.()
    return cancel !== undefined
  }

  state(runId: string, caller: Caller): RunState | undefined {
    const run = this.#runs.get(runId)
    return run && mayHear(run, caller) ? stateOf(run) : undefined
  }

  /**
   * Replays what is kept after `after`, then goes on telling. No event is missed or doubled between the two, nor by a sink
   * that hears the run already.
   * @throws RpcError `not_found`
   */
  follow(runId: string, after: number, caller: Caller, sink: EventSink | undefined): RunState {
    const run = this.#visible(runId, caller)
    if (sink) {
      const heardAfter = run.followers.get(sink) ?? Infinity
      for (let seq = Math.max(firstSeqOf(run), Math.floor(after) + 1); seq <= Math.min(run.lastSeq, heardAfter); seq += 1) {
        const event = run.kept[placeOf(seq)]
        if (event) sink.hear(event)
      }
      if (run.cancel) run.followers.set(sink, Math.min(after, heardAfter))
    }
    return stateOf(run)
  }

  /** Nobody listens there any more. */
  forget(sink: EventSink): void {
    for (const run of this.#runs.values()) run.followers.delete(sink)
  }

  #visible(runId: string, caller: Caller): Run {
    const run = this.#runs.get(runId)
    if (!run || !mayHear(run, caller)) throw new RpcError('not_found', `There is no run ${runId}`, { param: 'runId' })
    return run
  }

  /** Open runs are never dropped; of the ended ones, the oldest go first. */
  #makeRoom(): void {
    if (this.#runs.size <= RUNS_KEPT) return
    for (const run of this.#runs.values()) {
      if (run.cancel) continue
      this.#runs.delete(run.id)
      return
    }
  }
}

function mayHear(run: Run, caller: Caller): boolean {
  return run.owner === caller.id || caller.scopes.includes('admin')
}

function stateOf(run: Run): RunState {
  return { id: run.id, open: run.cancel !== undefined, firstSeq: firstSeqOf(run), lastSeq: run.lastSeq, about: run.about }
}

/** The first event that is still kept, or the first there will be. */
function firstSeqOf(run: Run): number {
  return Math.max(1, run.lastSeq - RUN_EVENTS + 1)
}

/** Numbers begin at 1 and leave none out, so an event takes the place of the one that is `RUN_EVENTS` older. */
function placeOf(seq: number): number {
  return (seq - 1) % RUN_EVENTS
}
