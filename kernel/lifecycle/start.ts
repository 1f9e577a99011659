/** Starts newcomers, each after what it needs, each within its deadline. */
import { Call } from '../call.ts'
import type { Core } from '../core.ts'
import type { Generation } from '../generation.ts'
import type { Instance } from '../instance.ts'
import { START_DEADLINE_MS } from '../limits.ts'
import { moved } from './state.ts'

/**
 * Runs `start`. The context it is given stays good until `stop`: it calls into whatever generation is current by then.
 * @throws RpcError where it threw or was silent past its deadline.
 */
export async function start(instance: Instance, core: Core, generation: () => Generation): Promise<void> {
  const run = instance.registration.start
  if (run) {
    instance.life = new Call({ core, caller: pluginCaller(instance), method: 'start', generation })
    const ctx = instance.life.lifeOf(instance)
    const entry = new Call({ core, caller: pluginCaller(instance), method: 'start', generation })
    await entry.enterLife(instance, '`start`', START_DEADLINE_MS, async () => void (await run(ctx)))
  }
  instance.state = moved(instance.state, 'started')
}

/** Each after those it needs. A circle of needs starts in the order of ids. */
export function inOrderOfNeeds(instances: readonly Instance[]): readonly Instance[] {
  const ordered = new Set<Instance>()
  const visiting = new Set<Instance>()
  const visit = (instance: Instance) => {
    if (ordered.has(instance) || visiting.has(instance)) return
    visiting.add(instance)
    for (const other of instances) if (Object.hasOwn(instance.manifest.needs, other.id)) visit(other)
    ordered.add(instance)
  }
  for (const instance of [...instances].sort((left, right) => (left.id < right.id ? -1 : 1))) visit(instance)
  return [...ordered]
}

/** A plugin acting on its own, not for anyone who asked. */
function pluginCaller(instance: Instance) {
  return Object.freeze({ id: `plugin:${instance.id}`, scopes: Object.freeze(['read', 'write'] as const), origin: 'automation' } as const)
}
