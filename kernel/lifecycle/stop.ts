/** Lets an old instance go: its calls finish, or are cancelled when it takes too long, and then it is stopped. */
import { RpcError } from '@isopod/plugin-api'
import { Call } from '../call.ts'
import type { Core } from '../core.ts'
import type { Instance } from '../instance.ts'
import { CANCEL_GRACE_MS, START_DEADLINE_MS } from '../limits.ts'
import { moved } from './state.ts'

/** Never rejects; what goes wrong is in the log. Resolves once the instance holds nothing any more. */
export async function drainAndStop(instance: Instance, core: Core, drainMs: number): Promise<void> {
  if (instance.state === 'ready') instance.state = moved('ready', 'draining')
  if (!(await within(core, drainMs, instance.emptied()))) {
    core.log.warn(`${instance.label} still had ${instance.inside} calls after ${drainMs} ms; they are cancelled`)
    const reason = new RpcError('unavailable', `${instance.id} was replaced while this ran; try again`, { retryable: true })
    for (const call of instance.calls()) call.cancel(reason)
    await within(core, CANCEL_GRACE_MS, instance.emptied())
  }
  await stop(instance, core)
}

/** Runs `stop`, for an instance that no call enters any more. */
export async function stop(instance: Instance, core: Core): Promise<void> {
  const run = instance.registration.stop
  try {
    if (run) {
      const entry = new Call({ core, caller: { id: `plugin:${instance.id}`, scopes: [], origin: 'automation' }, method: 'stop' })
      await entry.enterLife(instance, '`stop`', START_DEADLINE_MS, async () => void (await run()))
    }
    instance.state = moved(instance.state, 'stopped')
  } catch (thrown) {
    core.log.error(`${instance.label} could not be stopped`, { err: thrown })
    instance.state = 'failed'
  }
}

/** Whether the work was done in time. */
function within(core: Core, ms: number, work: Promise<void>): Promise<boolean> {
  return new Promise((resolve) => {
    const undo = core.clock.after(ms, () => resolve(false))
    void work.then(() => {
      undo()
      resolve(true)
    })
  })
}
