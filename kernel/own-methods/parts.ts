/** What the kernel's own methods were handed: what no plugin gets. */
import type { TokenBook } from '../auth/tokens.ts'
import type { ConfigSource } from '../config/config.ts'
import type { Config } from '../config/schema.ts'
import type { ChangeReport, Kernel } from '../kernel.ts'
import type { ReadWishes } from '../lifecycle/wanted.ts'
import type { Log } from '../log.ts'
import type { LogFollowers } from '../log-followers.ts'

export interface OwnParts {
  readonly kernel: () => Kernel
  readonly tokens: TokenBook
  readonly config: ConfigSource
  readonly log: Log
  readonly followers: LogFollowers
  /** What the owner wants under a config; the one in force unless said. */
  readonly wishes: (config?: Config) => Promise<ReadWishes>
  /** Resolves once the config in force has been applied, with what that did. */
  readonly settled: () => Promise<ChangeReport | undefined>
  /** Brings a plugin anew though nothing about it has changed. */
  readonly renew: (id: string) => Promise<unknown>
}
