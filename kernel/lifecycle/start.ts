/** Starts newcomers, each after what it needs, each within its deadline. */
import { Call } from '../call.ts'
import type { Core } from '../core.ts'
import type { Generation } from '../generation.ts'
import type { Instance } from '../instance.ts'
import { START_DEADLINE_MS } from '../limits.ts'

/**
 * Runs `start`. The context it is given stays good until `stop`: it calls into whatever generation is current by then.
 * @throws RpcError where it threw or was silent past its deadline.
 */
export async function start(instance: Instance, core: Core, generation: () => Generation): Promise<void> {
  const run = instance.registration.start
  if (run) {
    instance.life = new Call({ core, caller: instance.caller, method: 'start', generation })
    const ctx = instance.life.lifeOf(instance)
    const entry = new Call({ core, caller: instance.caller, method: 'start', generation })
    await entry.enterLife(instance, '`start`', START_DEADLINE_MS, async () => void (await run(ctx)))
  }
  instance.become('started')
}

/**
 * Begins each as soon as those it needs among them are through, however that ended; those that need nothing of each other
 * do not wait for each other, so that any number which hang cost one deadline.
 * @param begin does not reject.
 */
export async function eachAfterItsNeeds(instances: readonly Instance[], begin: (instance: Instance) => Promise<void>): Promise<void> {
  const begun = new Map<string, Promise<void>>()
  for (const instance of inOrderOfNeeds(instances)) {
    const needed = Object.keys(instance.manifest.needs).flatMap((id) => begun.get(id) ?? [])
    begun.set(instance.id, needed.length === 0 ? begin(instance) : Promise.all(needed).then(() => begin(instance)))
  }
  await Promise.all(begun.values())
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
