/**
 * A lock on a file, held by the operating system on behalf of this process: it ends with the process, however that ends,
 * and it cannot go stale while the process lives, whatever the clock, a suspended machine or a reused process id may say.
 * SQLite's lock is used because it is such a lock on every system, and needs no native code of its own. The lock
 * file stays empty and is never removed. POSIX drops a process's locks on a file as soon as it closes any descriptor of it, so
 * nothing in the process that holds the lock may open that file by other means.
 */
import { engine, resultCode, SQLITE } from './engine.ts'

export interface Lock {
  release(): void
}

/** How long a moment's look of another process at the lock is waited out. */
const PATIENCE_MS = 250

/** Held here as well, because SQLite closes what nobody refers to any more, and with it the lock would go. */
const held = new Set<object>()

/** Takes the lock, or answers undefined where another holds it. Throws where the file cannot be made or the disk knows no locks. */
export function takeLock(path: string): Lock | undefined {
  return attempt(path, PATIENCE_MS, 'BEGIN EXCLUSIVE')
}

/** Whether somebody holds the lock now. The look itself takes nothing away from a holder. */
export function isLocked(path: string): boolean {
  const look = attempt(path, 0, 'BEGIN; SELECT 1 FROM sqlite_schema')
  look?.release()
  return look === undefined
}

function attempt(path: string, patienceMs: number, sql: string): Lock | undefined {
  const database = new (engine().DatabaseSync)(path, { timeout: patienceMs })
  try {
    database.exec(sql)
    held.add(database)
    return {
      release() {
        if (held.delete(database)) database.close()
      },
    }
  } catch (thrown) {
    database.close()
    if (resultCode(thrown) === SQLITE.BUSY) return undefined
    throw thrown
  }
}
