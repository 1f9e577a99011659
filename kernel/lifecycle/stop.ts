/**
 * Lets old instances go: what began while they were current finishes, or is cancelled when it takes too long, and then they
 * are stopped, those that others need last.
 */
import { RpcError } from '@isopod/plugin-api'
import { Call } from '../call.ts'
import type { Core } from '../core.ts'
import type { Generation } from '../generation.ts'
import type { Instance } from '../instance.ts'
import { CANCEL_GRACE_MS, START_DEADLINE_MS } from '../limits.ts'
import { inOrderOfNeeds } from './start.ts'

/**
 * Never rejects; what goes wrong is in the log. Resolves once none of them holds anything any more.
 * @param generations those they were part of, in which calls may still reach them.
 */
export async function letGo(instances: readonly Instance[], generations: readonly Generation[], core: Core, drainMs: number): Promise<void> {
  const gone = new Map<Instance, Promise<void>>()
  for (const instance of [...inOrderOfNeeds(instances)].reverse()) {
    const dependents = [...gone].filter(([other]) => Object.hasOwn(other.manifest.needs, instance.id)).map(([, leaving]) => leaving)
    const theirs = generations.filter((one) => one.instances.get(instance.id) === instance)
    gone.set(instance, drain(instance, theirs, core, drainMs).then(() => Promise.all(dependents)).then(() => stop(instance, core)))
  }
  await Promise.all(gone.values())
}

/** No call is inside when this resolves, but for those that ignore being cancelled. */
async function drain(instance: Instance, generations: readonly Generation[], core: Core, drainMs: number): Promise<void> {
  instance.become('draining')
  const finished = Promise.all([instance.calls.emptied(), ...generations.map((one) => one.calls.emptied())])
  if ((await within(core, drainMs, finished)) || instance.inside === 0) return
  core.log.warn(`${instance.label} still had ${instance.inside} calls after ${drainMs} ms; they are cancelled`)
  const why = core.closing() ? 'The gateway stopped while this ran' : `${instance.id} was replaced while this ran`
  const reason = new RpcError('unavailable', `${why}; try again`, { retryable: true })
  for (const call of instance.calls.all()) call.cancel(reason)
  await within(core, CANCEL_GRACE_MS, instance.calls.emptied())
}

/**
 * Ends what the plugin does on its own and runs its `stop`. No call enters it any more.
 * @param end what it is afterwards, if its `stop` goes well.
 */
export async function stop(instance: Instance, core: Core, end: 'stopped' | 'failed' = 'stopped'): Promise<void> {
  instance.gone = true
  instance.life?.cancel(new RpcError('cancelled', `${instance.label} is being stopped`))
  let became: 'stopped' | 'failed' = end
  try {
    await runStop(instance, core)
  } catch (thrown) {
    core.log.error(`${instance.label} could not be stopped`, { err: thrown })
    became = 'failed'
  }
  instance.become(became)
  instance.life?.release()
}

/** What was never started has nothing to undo, except that behind the wall there is a process. */
async function runStop(instance: Instance, core: Core): Promise<void> {
  const { start, stop: run } = instance.registration
  const wasStarted = start === undefined ? instance.state !== 'registered' : instance.life !== undefined
  if (!run || !(wasStarted || instance.trust === 'walled')) return
  const entry = new Call({ core, caller: { ...instance.caller, scopes: [] }, method: 'stop' })
  await entry.enterLife(instance, '`stop`', START_DEADLINE_MS, async () => void (await run()))
}

/** Whether the work was done in time. */
function within(core: Core, ms: number, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const undo = core.clock.after(ms, () => resolve(false))
    void work.then(() => {
      undo()
      resolve(true)
    })
  })
}
