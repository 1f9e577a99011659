/** What the kernel's own methods were handed: what no plugin gets. */
import type { TokenBook } from '../auth/tokens.ts'
import type { ConfigSource } from '../config/config.ts'
import type { Kernel } from '../kernel.ts'
import type { Log } from '../log.ts'
import type { LogFollowers } from '../log-followers.ts'

export interface OwnParts {
  readonly kernel: () => Kernel
  readonly tokens: TokenBook
  readonly config: ConfigSource
  readonly log: Log
  readonly followers: LogFollowers
  /** Resolves once the config in force has been applied. */
  readonly settled: () => Promise<unknown>
  /** Brings a plugin anew though nothing about it has changed. */
  readonly renew: (id: string) => Promise<unknown>
}
