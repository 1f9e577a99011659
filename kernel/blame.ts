/**
 * What becomes of something a plugin threw. A refusal goes on to the caller, made sound first, since it came from code that
 * may put anything into its fields; anything else is a bug, told once in the log under the plugin's name and crossing as
 * `internal` without a word of what it was.
 */
import { isRpcError, jsonCopy, RpcError, type Log, type RefusalFacts } from '@isopod/plugin-api'

/** Refusals that are in the log already: they pass through every call they were thrown across. */
const logged = new WeakSet<object>()
/** Those made sound already, likewise. */
const made = new WeakSet<object>()

/**
 * @param where whose code it came from, as the line in the log begins.
 * @param stopped why the call had been stopped, where it had: what a handler throws on its way out is not its fault.
 */
export function refusalFrom(thrown: unknown, where: string, log: Log, stopped: RpcError | undefined): RpcError {
  if (isRpcError(thrown)) {
    const refusal = sound(thrown, where)
    if (refusal.code === 'internal') logOnce(refusal, thrown, `${where} failed: ${refusal.message}`, log)
    return refusal
  }
  if (stopped) return stopped
  const refusal = new RpcError('internal', 'Internal error', { cause: thrown })
  logOnce(refusal, thrown, `${where} failed`, log)
  return refusal
}

function logOnce(refusal: RpcError, thrown: unknown, message: string, log: Log): void {
  if (logged.has(refusal)) return
  logged.add(refusal)
  log.error(message, { err: thrown })
}

/** The refusal itself where it is one of ours and carries nothing a plugin could have got wrong, else one made of its facts. */
function sound(thrown: RpcError, where: string): RpcError {
  // A copy of this class in a plugin's bundle fails `instanceof`, and is copied: that costs nothing but the copy.
  if (made.has(thrown) || (thrown instanceof RpcError && thrown.details === undefined)) return thrown
  let refusal: RpcError
  try {
    refusal = new RpcError(thrown.code, thrown.message, factsOf(thrown, where))
  } catch (cause) {
    refusal = new RpcError('internal', 'Internal error', { cause })
  }
  made.add(refusal)
  return refusal
}

/** Throws where `details` is no JSON. */
function factsOf({ param, retryable, retryAfterSeconds, details, cause }: RpcError, where: string): RefusalFacts {
  return {
    ...(typeof param === 'string' && { param }),
    ...(typeof retryable === 'boolean' && { retryable }),
    ...(Number.isFinite(retryAfterSeconds) && { retryAfterSeconds: retryAfterSeconds as number }),
    ...(details !== undefined && { details: jsonCopy(details, `the details of a refusal by ${where}`, 'held') }),
    cause,
  }
}
