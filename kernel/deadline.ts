/**
 * How long something may keep others waiting. It bounds the wait and not the work: what comes too late is dropped, and whoever
 * began it sees to its end.
 */
import { RpcError } from '@isopod/plugin-api'
import type { Clock } from './clock.ts'
import { SPELL_DEADLINE_MS } from './limits.ts'

export interface Deadline {
  readonly clock: Clock
  /** 0 is no deadline. */
  readonly ms: number
  /** What the wait ends with. */
  readonly late: () => RpcError
}

/** The work's own end, or a rejection with `late` where that takes longer. */
export function inTime<Value>(work: Promise<Value>, { clock, ms, late }: Deadline): Promise<Value> {
  if (ms === 0) return work
  return new Promise((resolve, reject) => {
    const stop = clock.after(ms, () => reject(late()))
    work.then(resolve, reject).finally(stop)
  })
}

/** What a function of a row or dialect answered; a promise of it, where it is behind the wall, does not take for ever. */
export function spelledInTime<Answer>(answer: Answer | Promise<Answer>, clock: Clock, who: string): Answer | Promise<Answer> {
  if (!(answer instanceof Promise)) return answer
  const late = () => new RpcError('internal', `${who} took longer than ${SPELL_DEADLINE_MS} ms`)
  return inTime(answer, { clock, ms: SPELL_DEADLINE_MS, late })
}
