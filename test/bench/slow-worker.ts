/**
 * The store's thread on a slower disk: every commit waits 4 ms before it is let through to SQLite, which then syncs as ever.
 * What is not slowed is the sync of a checkpoint, about once in a thousand pages. 4 ms is what a disk behind a network takes.
 */
import { engine } from '../../kernel/store/engine.ts'

const ADDED_MS = 4

const { DatabaseSync } = engine()
const never = new Int32Array(new SharedArrayBuffer(4))
const exec = DatabaseSync.prototype.exec

DatabaseSync.prototype.exec = function (sql) {
  if (sql === 'COMMIT') Atomics.wait(never, 0, 0, ADDED_MS)
  exec.call(this, sql)
}

await import('../../kernel/store/worker.ts')
