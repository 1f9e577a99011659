/**
 * How a call ended for a client that does not wait for ever. A run goes on without it, and so the refusal says which run it was;
 * there is nothing to cut short in a call that is no run.
 */
import { RpcError, type Outcome } from '@isopod/plugin-api'
import type { Call } from '../call.ts'
import { refused, succeeded } from '../outcome.ts'

/** Never rejects. `patienceMs` counts from now; without it the call's own end is awaited. */
export function endOf(call: Call, answer: Promise<unknown>, patienceMs: number | undefined): Promise<Outcome> {
  const ended = answer.then(succeeded, refused)
  if (patienceMs === undefined) return ended
  const { clock } = call.core
  const began = clock.elapsed()
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  const leave = () => {
    // A call becomes a run soon or ends without one.
    if (call.runId === undefined) call.onRun = leave
    else resolve(refused(tired(call, call.runId, patienceMs)))
  }
  const stop = clock.after(patienceMs, leave)
  void ended.then((outcome) => {
    stop()
    // An answer that was ready too late is too late, though the timer that says so may be later still.
    const isLate = outcome.ok && call.runId !== undefined && clock.elapsed() - began >= patienceMs
    resolve(isLate ? refused(tired(call, call.runId, patienceMs)) : outcome)
  })
  return promise
}

function tired({ core, caller }: Call, runId: string, patienceMs: number): RpcError {
  const about = core.events.runs.state(runId, caller)?.about
  return new RpcError('timeout', `The answer did not come within ${patienceMs} ms; the run goes on`, { details: { runId, ...about } })
}
