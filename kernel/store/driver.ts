/**
 * What the kernel asks of whatever keeps its rows: a namespace for each plugin, numbers for the status page, word of
 * failures, and an end. The embedded driver is `sqlite.ts`; `memory.ts` is for tests and the testing gateway.
 */
import type { Log, Store } from '@isopod/plugin-api'
import type { Clock } from '../clock.ts'
import { SqliteDriver } from './sqlite.ts'

export interface StoreDriver {
  /** The store of one plugin, or of one part of the kernel. The same id is the same documents and streams. */
  namespace(id: string): Store
  /** Ends after everything that was asked before is answered. What is asked later rejects with `unavailable`. May be called twice. */
  close(): Promise<void>
  stats(): StoreStats
  /** Calls back when the store begins to fail and when it has failed for good. Answers its own undo. The callback must not throw. */
  onFailure(callback: (failure: StoreFailure) => void): () => void
}

/** Counts since the driver was opened. */
export interface StoreStats {
  readonly state: 'open' | 'restarting' | 'failed' | 'closed'
  /** What is wrong now, in a sentence; absent when all is well. */
  readonly trouble?: string
  /** Calls that are not answered yet. */
  readonly pending: number
  /** Calls that were answered, refused ones among them. */
  readonly reads: number
  readonly writes: number
  /** Transactions of the database: many writes share one. */
  readonly commits: number
  readonly conflicts: number
  /** Calls that were refused because the disk or the thread would not take them. */
  readonly refused: number
  readonly restarts: number
}

/**
 * `disk`: a write was refused and later ones may not be. `thread`: the thread died and is started again. `damaged`: the
 * file is broken; it is still read, and no longer written. `lost`: the thread could not be started again.
 */
export interface StoreFailure {
  readonly kind: 'disk' | 'thread' | 'damaged' | 'lost'
  /** A sentence for the owner. It names files. */
  readonly message: string
  /** Whether it takes the owner, or a restart of the gateway, to get out of it. */
  readonly final: boolean
}

export interface StoreOptions {
  /** The database file. It is made if it is absent; its folder is not. */
  readonly path: string
  readonly clock: Clock
  readonly log: Log
  /** The file that the thread runs. A bundle gives its own; otherwise it is the source beside this one. */
  readonly worker?: URL
  /** How long a commit waits for another program that has the database locked, in milliseconds. */
  readonly busyMs?: number
  /** How large the database may grow, in bytes; as large as the disk unless said. */
  readonly maxBytes?: number
  /** Other migrations than the program's own. For tests of what happens between versions. */
  readonly migrations?: readonly string[]
}

/**
 * Opens the embedded store. The work is done in another thread, so the caller can go on starting and await it before the
 * first call. Rejects with an `OpenRefusal` whose message tells the owner what to do.
 */
export function openStore(options: StoreOptions): Promise<StoreDriver> {
  return SqliteDriver.open(options)
}
