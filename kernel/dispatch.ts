/**
 * The one road. Every call, whoever makes it and however it is spelled, passes this ladder of refusals from top to bottom;
 * there is no other way to a handler. Who asks is settled first, so that guessing names tells an outsider nothing.
 */
import { errorOf, RpcError, type Caller, type JsonObject, type Method, type Refusal } from '@isopod/plugin-api'
import { refusalFrom } from './blame.ts'
import type { Call } from './call.ts'
import type { Bound } from './collector.ts'
import { check } from './validators.ts'

/**
 * Carries a call out.
 * @param params one parsed, frozen JSON object.
 * @returns the method's answer as frozen JSON, or a promise of it; for a method that streams, an async iterable.
 * @throws RpcError every refusal, whether thrown at once or through the promise. Nothing else.
 */
export function dispatch(call: Call, params: JsonObject): unknown {
  const { caller, core, generation } = call
  if (!caller) throw new RpcError('unauthorized', 'Unauthorized')

  if (!call.isInner && core.closing() && !isPublic(call)) throw new RpcError('unavailable', 'The gateway is stopping', { retryable: true })

  const wait = call.isInner || call.isCounted ? undefined : core.overRate(caller.id, call.arrivedAt)
  if (wait !== undefined) {
    throw new RpcError('rate_limited', `Too many calls; try again in ${wait} s`, { retryable: true, retryAfterSeconds: wait })
  }

  const bound = generation.methods.get(call.method)
  if (!bound || (bound.item.internal && !call.isInner && call.rowOf !== bound.instance)) throw new RpcError('method_not_found', `There is no method ${call.method}`)

  if (!isAllowed(bound.item, caller)) throw new RpcError('forbidden', `${call.method} needs the scope \`${bound.item.scope}\``)

  const misfit = misfitOf(bound, params)
  if (misfit) throw errorOf(misfit)

  if (generation.hooks.asking.callStarting.isUsed()) return askFirst(call, bound, params)
  return call.enter(bound, params)
}

/**
 * Such a method is asked by watchers: a gateway that finishes its work before
 * it stops still lives, and can say that it is not ready.
 */
function isPublic({ generation, method }: Call): boolean {
  return generation.methods.get(method)?.item.scope === 'public'
}

/** `write` includes `read`: whoever may give the agent orders can have it read to him whatever it can read. */
function isAllowed({ scope }: Method, { scopes }: Caller): boolean {
  return scope === 'public' || scopes.includes(scope) || (scope === 'read' && scopes.includes('write'))
}

/** A schema that is none is its plugin's bug, and nobody else's. */
function misfitOf({ item, instance }: Bound<Method>, params: JsonObject): Refusal | undefined {
  try {
    return check(item.params, params)
  } catch (thrown) {
    throw refusalFrom(thrown, `the schema of ${item.name} of ${instance.label}`, instance.log, undefined)
  }
}

/** Lets everyone who taps `callStarting` change the params or refuse; changed params must still fit. */
async function askFirst(call: Call, bound: Bound<Method>, params: JsonObject): Promise<unknown> {
  const { caller, generation } = call
  // Inside its generation from here on: what it began on must not be stopped while it is being asked about.
  const place = generation.calls.enter(call)
  try {
    const verdict = await call.ring('callStarting', { method: call.method, params, caller })
    call.core.stalls.sign(undefined)
    if ('refused' in verdict) throw new RpcError('forbidden', verdict.refused, { details: { by: verdict.by } })
    const misfit = misfitOf(bound, call.copied(verdict.subject.params, 'the changed params'))
    if (misfit) throw new RpcError('internal', 'A plugin changed this call into one that cannot be made', { cause: misfit })
    return await call.enter(bound, verdict.subject.params)
  } finally {
    generation.calls.leave(place)
  }
}
