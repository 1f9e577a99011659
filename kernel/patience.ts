/**
 * How a call ended for a client, which does not wait for ever. A run goes on without it, and so the refusal says which run it was;
 * a call that is no run is not cut short here: it has its own deadline.
 */
import { RpcError, type Outcome } from '@isopod/plugin-api'
import type { Call } from './call.ts'
import { refused, succeeded } from './outcome.ts'

/**
 * Never rejects. `patienceMs` counts from now; without it a client waits as long
 * as a request may take. 0 waits for the call's own end.
 */
export function endOf(call: Call, answer: Promise<unknown>, patienceMs: number = call.core.deadlineMs()): Promise<Outcome> {
  const ended = answer.then(succeeded, refused)
  if (patienceMs === 0) return ended
  const { clock } = call.core
  const began = clock.elapsed()
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  const tired = () => resolve(refused(timeoutOf(call, patienceMs)))
  let stop = () => {}
  // A call becomes a run soon or ends without one; most never do, and cost no timer.
  const wait = () => {
    const left = patienceMs - (clock.elapsed() - began)
    if (left > 0) stop = clock.after(left, tired)
    else tired()
  }
  if (call.runId === undefined) call.onRun = wait
  else wait()
  void ended.then((outcome) => {
    stop()
    // An answer that was ready too late is too late, though the timer that says so may be later still.
    const isLate = outcome.ok && call.runId !== undefined && clock.elapsed() - began >= patienceMs
    resolve(isLate ? refused(timeoutOf(call, patienceMs)) : outcome)
  })
  return promise
}

function timeoutOf({ core, caller, runId }: Call, patienceMs: number): RpcError {
  const about = runId === undefined ? undefined : core.events.runs.state(runId, caller)?.about
  const details = { ...(runId !== undefined && { runId }), ...about }
  // Asked again, it would be another run beside this one.
  return new RpcError('timeout', `The answer did not come within ${patienceMs} ms; the run goes on`, { retryable: false, details })
}
