/**
 * The store's thread on a disk that fails while a file beside the database says so: with the very error SQLite throws for it. If
 * there is something in that file, it is removed by the first failure.
 */
import { rmSync, statSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import { engine } from '../../kernel/store/engine.ts'
import type { ThreadOptions } from '../../kernel/store/message.ts'

const SYNC_FAILED = 1034 // SQLITE_IOERR_FSYNC
const { path } = workerData as ThreadOptions // the driver starts every thread with these
const { DatabaseSync } = engine()
const { exec, prepare } = DatabaseSync.prototype

function failIf(concerns: boolean, condition: string): void {
  const file = `${path}.${condition}`
  const found = concerns ? statSync(file, { throwIfNoEntry: false }) : undefined
  if (!found) return
  if (found.size > 0) rmSync(file)
  throw Object.assign(new Error('disk I/O error'), { code: 'ERR_SQLITE_ERROR', errcode: SYNC_FAILED })
}

DatabaseSync.prototype.exec = function (sql) {
  failIf(sql === 'COMMIT', 'commits-fail')
  return exec.call(this, sql)
}
DatabaseSync.prototype.prepare = function (sql) {
  failIf(sql.includes('wal_checkpoint'), 'checkpoints-fail')
  return prepare.call(this, sql)
}

await import('../../kernel/store/worker.ts')
