/**
 * Makes the instance of a plugin that is wanted: its code is imported into this process or loaded behind the wall, and what it
 * registers is recorded. Nothing of it has been started, and no generation knows it yet.
 */
import { RpcError, type Sandbox, type Store } from '@isopod/plugin-api'
import type { Clock } from '../clock.ts'
import { inTime } from '../deadline.ts'
import { Instance } from '../instance.ts'
import { START_DEADLINE_MS } from '../limits.ts'
import type { Log } from '../log.ts'
import { record, type Registration } from '../recorder.ts'
import { importPlugin } from './load.ts'
import type { Wanted } from './plan.ts'
import { separateSecrets } from './secret-config.ts'

export interface InstanceParts {
  readonly clock: Clock
  readonly log: Log
  /** A plugin's corner of the store. */
  readonly storeOf: (pluginId: string) => Store
  /** What holds plugins that are not trusted. Without one, such a plugin fails and says so. */
  readonly sandbox?: Sandbox
}

/**
 * @throws ImportError what importing its code threw.
 * @throws Error why it cannot be there, in a sentence for the owner.
 */
export async function instantiate(wish: Wanted, parts: InstanceParts): Promise<Instance> {
  const { source, trust } = wish
  const { manifest, builtIn } = source
  const log = parts.log.child({ plugin: `${manifest.id} ${manifest.version}` })
  const { config, secrets } = separateSecrets(wish.config, manifest.config)
  for (const secret of secrets.values()) parts.log.hide(secret)
  const here = async () => record(await loaded(importPlugin(source), manifest.id, parts), manifest.id)
  const registration = await (trust === 'walled' ? walled(wish, log, parts) : here())
  return new Instance({ manifest, registration, config, secrets, trust, builtIn, log, store: parts.storeOf(manifest.id) })
}

async function walled({ source: { manifest, entry } }: Wanted, log: Log, parts: InstanceParts): Promise<Registration> {
  const { id, version } = manifest
  if (!parts.sandbox) {
    const why = `${id} does not come with the gateway, and this version has no wall to put it behind`
    throw new Error(`${why}: \`trust: full\` under plugins.${id} runs it unguarded`)
  }
  if (entry === undefined) throw new Error(`${id} has no entry a process could load`)
  const { walledContributions } = await import('../door.ts')
  const loading = parts.sandbox.load({ id, version, entry }, (level, text) => log[level](text))
  const plugin = await loaded(loading, id, parts).catch((thrown: unknown) => {
    // One that comes too late is sent home.
    void loading.then((late) => late.close()).catch(() => {})
    throw thrown
  })
  return walledContributions(plugin, id)
}

/** Code that never finishes loading must not hold up every later change. */
function loaded<Code>(loading: Promise<Code>, id: string, { clock }: InstanceParts): Promise<Code> {
  const late = () => new RpcError('timeout', `${id} did not load within ${START_DEADLINE_MS} ms`)
  return inTime(loading, { clock, ms: START_DEADLINE_MS, late })
}
