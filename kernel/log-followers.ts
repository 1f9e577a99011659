/**
 * Who follows the log. A follower is a place in it and an ear, never a queue: what he has not been told yet stays in the
 * log's own memory, and where he is so far behind that it has left that too, he is told how many lines he missed. Lines
 * are told a few times a second and in batches, and those that come of telling are told to nobody, so that following the
 * log cannot fill it.
 */
import { RpcError, type Context, type GatewayEvent, type JsonObject } from '@isopod/plugin-api'
import type { Clock } from './clock.ts'
import type { EventSink } from './events.ts'
import { LOG_FOLLOWERS } from './limits.ts'
import type { Log, LogEntry, LogQuery } from './log.ts'

/** A person sees no difference to at once. */
export const TELL_MS = 100
/** Lines for one follower each time. */
const BATCH = 200
/** Batches that one who begins far back is told from the files; what is between them and memory he reads by himself. */
const PAGES = 20
/** Characters that may wait for a follower's reader before he is told more. */
const HOLD_CHARACTERS = 256 * 1024

/** Which lines, after which, and how many of the newest to begin with. */
export type Following = Pick<LogQuery, 'level' | 'plugin' | 'after' | 'limit'>

interface Follower {
  readonly sink: EventSink
  /** A call of his own, not a subscription. */
  readonly isCall: boolean
  readonly wanted: Pick<LogQuery, 'level' | 'plugin'>
  /** The number of the last line he was told, or need not be. */
  at: number
  /** Whether he still hears. */
  readonly hears: () => boolean
}

/** A call that follows. */
interface Caller {
  readonly id: string
  /** Nobody is told on its behalf any more. */
  readonly ending: AbortController
}

export class LogFollowers {
  readonly #log: Log
  readonly #clock: Clock
  readonly #followers = new Set<Follower>()
  readonly #calls = new Set<Caller>()
  /** Lines that came of telling others. */
  readonly #echoes = new Set<number>()
  #isTelling = false
  #cancel: (() => void) | undefined
  #deafen: (() => void) | undefined

  constructor(log: Log, clock: Clock) {
    this.#log = log
    this.#clock = clock
  }

  /** Tells a socket that subscribed every line from here on, for as long as it hears them. */
  subscribed(sink: EventSink, hears: () => boolean): void {
    for (const one of this.#followers) if (one.sink === sink && !one.isCall) return
    this.#add({ sink, isCall: false, wanted: {}, at: this.#log.last, hears })
  }

  /**
   * Tells the lines that are wanted until the call is stopped, or following has to begin anew. Resolves with the number to
   * go on after. Rejects with `rate_limited` where too many follow already.
   */
  async follow(sink: EventSink, { level, plugin, after, limit }: Following, { caller, signal }: Pick<Context, 'caller' | 'signal'>): Promise<number> {
    if (this.#calls.size >= LOG_FOLLOWERS) {
      const message = `${LOG_FOLLOWERS} calls follow the log already: end one first`
      throw new RpcError('rate_limited', message, { retryable: true, retryAfterSeconds: 5 })
    }
    const wanted = { ...(level !== undefined && { level }), ...(plugin !== undefined && { plugin }) }
    const at = after === undefined ? this.#beginning(wanted, limit) : Math.min(after, this.#log.last)
    const call: Caller = { id: caller.id, ending: new AbortController() }
    const over = AbortSignal.any([signal, call.ending.signal])
    const follower: Follower = { sink, isCall: true, wanted, at, hears: () => !over.aborted }
    this.#calls.add(call)
    try {
      this.#listen()
      this.#telling(() => sink.hear(event('log.following', { after: at })))
      await this.#catchUp(follower)
      if (!over.aborted) await this.#ended(follower, over)
    } finally {
      this.#calls.delete(call)
      this.#remove(follower)
    }
    return follower.at
  }

  /** Tells from the log's files what has left memory: a client that comes back after a restart finds little there. */
  async #catchUp(follower: Follower): Promise<void> {
    for (let page = 0; page < PAGES && follower.at + 1 < this.#log.first && follower.hears() && !isBehind(follower); page++) {
      const { entries, next } = await this.#log.read({ ...follower.wanted, after: follower.at, limit: BATCH })
      if (!follower.hears()) return
      this.#telling(() => {
        for (const entry of entries) this.#tellEntry(follower, entry)
      })
      if (next <= follower.at && entries.length === 0) return
      follower.at = Math.max(follower.at, next)
    }
  }

  /** Resolves when it is over. */
  #ended(follower: Follower, over: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      over.addEventListener('abort', () => resolve(), { once: true })
      this.#add(follower)
      this.#telling(() => this.#tellOne(follower))
    })
  }

  /** Ends the calls that follow, each with the number to go on after: what they run on is going away. */
  turn(): void {
    this.#tell()
    for (const { ending } of this.#calls) ending.abort()
  }

  /** Ends those of callers whose credential no longer works. A stream has no socket that could be closed. */
  hangUp(callerIds: readonly string[]): void {
    for (const { id, ending } of this.#calls) if (callerIds.includes(id)) ending.abort()
  }

  close(): void {
    this.turn()
    this.#followers.clear()
    this.#rest()
  }

  #beginning(wanted: Follower['wanted'], limit: number | undefined): number {
    const [first] = limit === undefined || limit <= 0 ? [] : this.#log.recent({ ...wanted, limit }).entries
    return first === undefined ? this.#log.last : first.seq - 1
  }

  #add(follower: Follower): void {
    this.#followers.add(follower)
    this.#listen()
  }

  #listen(): void {
    this.#deafen ??= this.#log.onLine((seq) => this.#came(seq))
  }

  #remove(follower: Follower): void {
    this.#followers.delete(follower)
    if (this.#followers.size === 0 && this.#calls.size === 0) this.#rest()
  }

  #rest(): void {
    this.#deafen?.()
    this.#cancel?.()
    this.#deafen = undefined
    this.#cancel = undefined
    this.#echoes.clear()
  }

  #came(seq: number): void {
    if (this.#isTelling) this.#echoes.add(seq)
    else this.#soon()
  }

  #soon(): void {
    this.#cancel ??= this.#clock.after(TELL_MS, () => {
      this.#cancel = undefined
      this.#tell()
    })
  }

  #tell(): void {
    this.#telling(() => {
      for (const follower of this.#followers) this.#tellOne(follower)
    })
    for (const seq of this.#echoes) if (seq < this.#log.first) this.#echoes.delete(seq)
  }

  /** What is logged meanwhile comes of it. */
  #telling(act: () => void): void {
    if (this.#isTelling) return
    this.#isTelling = true
    try {
      act()
    } finally {
      this.#isTelling = false
    }
  }

  #tellOne(follower: Follower): void {
    if (!follower.hears()) return this.#remove(follower)
    const missed = this.#log.first - 1 - follower.at
    if (missed > 0 && !isBehind(follower)) this.#tellMissed(follower, missed)
    const { entries, next } = this.#log.recent({ ...follower.wanted, after: follower.at, limit: BATCH })
    for (const entry of entries) {
      if (isBehind(follower)) return this.#soon()
      this.#tellEntry(follower, entry)
    }
    follower.at = Math.max(follower.at, next)
    if (entries.length === BATCH) this.#soon()
  }

  #tellEntry(follower: Follower, entry: LogEntry): void {
    follower.at = entry.seq
    if (!this.#echoes.has(entry.seq)) follower.sink.hear(event('log.line', lineOf(entry)))
  }

  #tellMissed(follower: Follower, missed: number): void {
    follower.at += missed
    const time = new Date(this.#clock.now()).toISOString()
    const message = `${missed} lines are left out here: they had left memory before they could be told. \`log.read\` has them`
    follower.sink.hear(event('log.line', { seq: follower.at, time, level: 'warn', message, missed }))
  }
}

/** An entry as clients are shown it. */
export function lineOf({ seq, at, level, plugin, message, facts }: LogEntry): JsonObject {
  const time = new Date(at).toISOString()
  // Facts were parsed from a line of JSON, and cannot have the names of the line's own fields.
  return { ...(facts as JsonObject), seq, time, level, ...(plugin !== undefined && { plugin }), message }
}

function isBehind({ sink }: Follower): boolean {
  return (sink.waiting ?? 0) > HOLD_CHARACTERS
}

function event(name: string, data: JsonObject): GatewayEvent {
  return { name, data, seq: 0 }
}
