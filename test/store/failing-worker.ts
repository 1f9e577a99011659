/** The store's thread on a disk that fails while a file beside the database says so: with the very error SQLite throws for it. */
import { existsSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import { engine } from '../../kernel/store/engine.ts'
import type { ThreadOptions } from '../../kernel/store/message.ts'

const SYNC_FAILED = 1034 // SQLITE_IOERR_FSYNC
const { path } = workerData as ThreadOptions // the driver starts every thread with these
const { DatabaseSync } = engine()
const { exec, prepare } = DatabaseSync.prototype

function failIf(fails: boolean): void {
  if (fails) throw Object.assign(new Error('disk I/O error'), { code: 'ERR_SQLITE_ERROR', errcode: SYNC_FAILED })
}

DatabaseSync.prototype.exec = function (sql) {
  failIf(sql === 'COMMIT' && existsSync(`${path}.commits-fail`))
  return exec.call(this, sql)
}
DatabaseSync.prototype.prepare = function (sql) {
  failIf(sql.includes('wal_checkpoint') && existsSync(`${path}.checkpoints-fail`))
  return prepare.call(this, sql)
}

await import('../../kernel/store/worker.ts')
