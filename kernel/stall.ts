/**
 * Stalls: times in which the event loop did not turn, because somebody in this process computed. Nobody is answered
 * meanwhile, so the owner is told how long it was and whose code it was in. Whoever enters or leaves a plugin gives a sign
 * of life, and a timer does so while nothing happens; a long silence between two signs lies in the code that ran last. It
 * cannot end a stall: nothing else runs while there is one.
 */
import type { Log } from '@isopod/plugin-api'
import type { Clock } from './clock.ts'
import type { Instance } from './instance.ts'
import { STALL_MS, STALL_REMEMBERED_MS } from './limits.ts'

/** Signs of life while nothing happens; what is said of a stall is right to this. */
const TICK_MS = 250

export interface StallParts {
  readonly clock: Clock
  readonly log: Log
  /** The plugins with calls inside, asked where a stall ended in nobody's code. */
  readonly inside: () => readonly Instance[]
}

export class Stalls {
  readonly #parts: StallParts
  readonly #stopTicking: () => void
  #seen: number
  #last: { readonly endedAt: number; readonly sentence: string } | undefined

  constructor(parts: StallParts) {
    this.#parts = parts
    this.#seen = parts.clock.elapsed()
    this.#stopTicking = parts.clock.every(TICK_MS, () => this.sign(undefined))
  }

  /** The loop turns. Given is whose code ran until now, where that is known. Answers what the clock shows. */
  sign(ran: Instance | undefined): number {
    const now = this.#parts.clock.elapsed()
    const silence = now - this.#seen
    this.#seen = now
    if (silence > STALL_MS) this.#tell(silence, now, ran)
    return now
  }

  /** The stall that ended a moment ago, in a sentence: traffic had better go elsewhere for a while. */
  get trouble(): string | undefined {
    const now = this.sign(undefined)
    if (!this.#last || now - this.#last.endedAt > STALL_REMEMBERED_MS) return undefined
    return this.#last.sentence
  }

  close(): void {
    this.#stopTicking()
  }

  #tell(ms: number, endedAt: number, ran: Instance | undefined): void {
    const suspects = suspected(ran, this.#parts.inside())
    const sentence = `the event loop stood still for ${(ms / 1000).toFixed(1)} s, ${whereabouts(suspects)}`
    this.#last = { endedAt, sentence }
    this.#parts.log.warn(`${sentence[0]?.toUpperCase()}${sentence.slice(1)}. Nobody was answered meanwhile`, { ms: Math.round(ms), plugins: suspects })
  }
}

/** Labels of those whose code it may have been. Code behind the wall runs in another process and holds up nobody. */
function suspected(ran: Instance | undefined, inside: readonly Instance[]): string[] {
  return (ran ? [ran] : inside).filter(({ trust }) => trust === 'trusted').map(({ label }) => label)
}

function whereabouts(suspects: readonly string[]): string {
  if (suspects.length === 0) return 'in the code of no plugin that was called: the machine was busy, or the gateway itself'
  return suspects.length === 1 ? `in the code of ${suspects[0]}` : `in the code of one of ${suspects.join(', ')}`
}
