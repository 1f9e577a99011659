/**
 * Runs: calls whose events have numbers and a memory. While a run is open, and for a while after, whoever may hear it can
 * come back and say what it has already; the kernel keeps the last events and no more: so many of each run, and so much of
 * all of them that the memory they take is bounded. To a caller that neither opened the
 * run nor has the scope `admin`, it does not exist.
 */
import { RpcError, type Caller, type GatewayEvent, type JsonObject, type RunState } from '@isopod/plugin-api'
import type { Clock } from './clock.ts'
import type { EventSink } from './events.ts'
import { RUN_EVENTS, RUN_RETENTION_MS, RUNS_CHARACTERS, RUNS_KEPT } from './limits.ts'
import { weightOf } from './weight.ts'

interface Run {
  readonly id: string
  readonly about: JsonObject
  readonly owner: string
  /** The last events, in a ring: `placeOf` says where one of them is. */
  readonly kept: (Kept | undefined)[]
  /** Who hears it, and after which event each began. */
  readonly followers: Map<EventSink, number>
  /** The first event that is still kept, or the first there will be. */
  firstSeq: number
  lastSeq: number
  /** What its kept events weigh. */
  weight: number
  /** Stops the call it is; undefined once that has ended, so that a run that is only remembered holds nothing of it. */
  cancel: (() => void) | undefined
  /** Who waits for an event of it. */
  waiting: { readonly name: string; readonly resolve: (isTold: boolean) => void }[]
}

interface Kept {
  readonly event: GatewayEvent
  readonly weight: number
}

export class Runs {
  readonly #runs = new Map<string, Run>()
  /** When each of those that are over ended, on the clock that only goes forward; the oldest first. */
  readonly #ended = new Map<Run, number>()
  readonly #clock: Clock
  #weight = 0
  #isForgetting = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many are open. */
  get open(): number {
    return this.#runs.size - this.#ended.size
  }

  /** What all kept events weigh, in characters of JSON. */
  get weight(): number {
    return this.#weight
  }

  /** Opens a run for a caller. `cancel` stops the call it is; `sink` hears it from the start. */
  begin(caller: Caller, about: JsonObject, cancel: () => void, sink: EventSink | undefined): string {
    const empty = { kept: [], followers: new Map(), firstSeq: 1, lastSeq: 0, weight: 0, waiting: [] }
    const run: Run = { id: this.#clock.id(), about, owner: caller.id, cancel, ...empty }
    if (sink) run.followers.set(sink, 0)
    this.#runs.set(run.id, run)
    if (this.#runs.size > RUNS_KEPT) this.#dropOldest()
    return run.id
  }

  /** The call has ended; what was heard can still be heard for a while. */
  end(runId: string): void {
    const run = this.#runs.get(runId)
    if (!run?.cancel) return
    run.cancel = undefined
    answerWaiting(run)
    run.followers.clear()
    this.#ended.set(run, this.#clock.elapsed())
    this.#forgetLater(RUN_RETENTION_MS)
  }

  /** Resolves once a run that has just been opened tells an event of this name: true; or has ended without one: false. */
  told(runId: string, name: string): Promise<boolean> {
    const run = this.#runs.get(runId)
    return new Promise((resolve) => (run?.cancel ? run.waiting.push({ name, resolve }) : resolve(false)))
  }

  /**
   * Numbers an event of an open run, keeps it and tells its followers. Of a run
   * that is not open, or not the teller's, nothing is told.
   */
  tell(runId: string, event: Omit<GatewayEvent, 'seq' | 'runId'>, teller?: Caller): void {
    const run = this.#runs.get(runId)
    if (!run?.cancel || (teller && !mayHear(run, teller))) return
    run.lastSeq += 1
    answerWaiting(run, event.name)
    const told = { ...event, runId, seq: run.lastSeq } satisfies GatewayEvent
    this.#keep(run, told)
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
      for (let seq = Math.max(run.firstSeq, Math.floor(after) + 1); seq <= Math.min(run.lastSeq, heardAfter); seq += 1) {
        const kept = run.kept[placeOf(seq)]
        if (kept) sink.hear(kept.event)
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
    if (!run || !mayHear(run, caller)) throw new RpcError('not_found', `There is no run ${runId} whose events are kept`, { param: 'runId' })
    return run
  }

  #keep(run: Run, event: GatewayEvent): void {
    if (event.seq - run.firstSeq >= RUN_EVENTS) this.#letGo(run)
    const weight = weightOf(event.data)
    run.kept[placeOf(event.seq)] = { event, weight }
    run.weight += weight
    this.#weight += weight
    // What ended longest ago goes first, then what this run said first; its newest word stays, however long.
    while (this.#weight > RUNS_CHARACTERS && this.#dropOldest());
    while (this.#weight > RUNS_CHARACTERS && run.firstSeq < event.seq) this.#letGo(run)
  }

  /** Forgets the first event that is kept of a run. */
  #letGo(run: Run): void {
    const weight = run.kept[placeOf(run.firstSeq)]?.weight ?? 0
    run.kept[placeOf(run.firstSeq)] = undefined
    run.firstSeq += 1
    run.weight -= weight
    this.#weight -= weight
  }

  /** Open runs are never dropped; of the ended ones, the oldest go first. Answers whether there was one. */
  #dropOldest(): boolean {
    const [oldest] = this.#ended.keys()
    if (oldest) this.#drop(oldest)
    return oldest !== undefined
  }

  #drop(run: Run): void {
    this.#runs.delete(run.id)
    this.#ended.delete(run)
    this.#weight -= run.weight
  }

  /** One timer serves all: they are forgotten in the order they ended in. */
  #forgetLater(ms: number): void {
    if (this.#isForgetting) return
    this.#isForgetting = true
    this.#clock.after(ms, () => this.#forget())
  }

  #forget(): void {
    this.#isForgetting = false
    const now = this.#clock.elapsed()
    for (const [run, endedAt] of this.#ended) {
      const left = endedAt + RUN_RETENTION_MS - now
      if (left > 0) return this.#forgetLater(left)
      this.#drop(run)
    }
  }
}

/** @param told the name of the event that has just been told; absent where there will be none any more. */
function answerWaiting(run: Run, told?: string): void {
  if (run.waiting.length === 0) return
  for (const { name, resolve } of run.waiting) if (told === undefined || name === told) resolve(told !== undefined)
  run.waiting = run.waiting.filter(({ name }) => told !== undefined && name !== told)
}

function mayHear(run: Run, caller: Caller): boolean {
  return run.owner === caller.id || caller.scopes.includes('admin')
}

function stateOf(run: Run): RunState {
  return { id: run.id, open: run.cancel !== undefined, firstSeq: run.firstSeq, lastSeq: run.lastSeq, about: run.about }
}

/** Numbers begin at 1 and leave none out, so an event takes the place of the one that is `RUN_EVENTS` older. */
function placeOf(seq: number): number {
  return (seq - 1) % RUN_EVENTS
}
