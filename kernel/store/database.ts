/**
 * Opens the database file: made if it is absent, refused if it is damaged, foreign or newer than the program, and brought
 * up to date after a copy of it was put aside. Whatever is refused stays as it was found, so that it can be examined,
 * restored or opened by the right program. Knows files and pragmas, not what the tables are for.
 */
import { chmodSync, closeSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { BUSY_MS, CHECKED_BYTES, LOG_BYTES } from './bounds.ts'
import { engine, resultCode, SQLITE, type Database } from './engine.ts'
import { APPLICATION_ID, MIGRATIONS } from './migrations.ts'
import { OpenRefusal } from './open-refusal.ts'

export interface OpenOptions {
  readonly path: string
  readonly busyMs?: number
  readonly maxBytes?: number
  readonly migrations?: readonly string[]
}

export interface Opened {
  readonly database: Database
  /** The version it had (0: it was new), and has now. */
  readonly from: number
  readonly to: number
  /** Where the copy is that was made before it was brought up to date. */
  readonly backup?: string
}

/** Opens the database, ready for use. Throws an `OpenRefusal`. */
export function openDatabase(options: OpenOptions): Opened {
  const migrations = options.migrations ?? MIGRATIONS
  try {
    makePrivate(options.path)
    const from = examine(options.path, migrations.length)
    const { DatabaseSync } = engine()
    const database = new DatabaseSync(options.path, { timeout: options.busyMs ?? BUSY_MS, enableForeignKeyConstraints: false })
    const backup = bringUpToDate(database, options.path, from, migrations)
    setUp(database, options.maxBytes ?? 0)
    return { database, from, to: migrations.length, ...(backup === undefined ? {} : { backup }) }
  } catch (thrown) {
    throw explain(thrown, options.path)
  }
}

/**
 * Writes everything that the log holds into the database anew, syncs it, empties the log, and reads the database through a
 * connection that has nothing of it in memory. Throws where one of these fails: an `OpenRefusal` with `damaged` where what is
 * read is not what was written.
 */
export function makeSure(database: Database, path: string): void {
  const [checkpoint] = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all()
  if (checkpoint?.['busy'] !== 0) throw new OpenRefusal('busy', `Another program reads the database ${path}`)
  try {
    examine(path, pragma(database, 'user_version'))
  } catch (thrown) {
    throw explain(thrown, path)
  }
}

/** What the owner is told about a file that SQLite cannot make sense of. */
export function damaged(path: string, what: string): string {
  return `The database ${path} is damaged (${what}). Nothing was changed in it. Move it and the files ${path}-wal and ${path}-shm `
    + `aside, then restore a backup in their place, or start without them to begin empty.`
}

/** SQLite gives the log and the shared memory beside a database the mode of the database, so only that one is set. */
function makePrivate(path: string): void {
  closeSync(openSync(path, 'a', 0o600))
  if ((statSync(path).mode & 0o077) !== 0 && process.platform !== 'win32') chmodSync(path, 0o600)
}

/** The version of a database that may be opened. The connection it looks through cannot write, so a refusal leaves no trace. */
function examine(path: string, newest: number): number {
  const size = statSync(path).size
  if (size === 0) return 0
  const database = new (engine().DatabaseSync)(path, { readOnly: true })
  try {
    const version = pragma(database, 'user_version')
    if (pragma(database, 'application_id') !== APPLICATION_ID && (version > 0 || hasTables(database)))
      throw new OpenRefusal('foreign', `${path} is the database of another program. `
        + 'Move it aside, or set ISOPOD_HOME to another folder.')
    if (version > newest)
      throw new OpenRefusal('newer', `The database ${path} has version ${version}, and this program knows versions up to ${newest}. `
        + 'Start the newer program again, or restore the copy that it put aside before its first start '
        + `(${path}.before-v${version}, or the like).`)
    if (size <= CHECKED_BYTES) check(database, path)
    return version
  } finally {
    database.close()
  }
}

function check(database: Database, path: string): void {
  const [first] = database.prepare('PRAGMA quick_check(1)').all()
  const verdict = String(first?.['quick_check'])
  // Below a heading that names nothing but the kind of database.
  const found = verdict.replace(/^\*\*\*.*\*\*\*\n/, '').replaceAll('\n', '; ')
  if (verdict !== 'ok') throw new OpenRefusal('damaged', damaged(path, found))
}

function bringUpToDate(database: Database, path: string, from: number, migrations: readonly string[]): string | undefined {
  const to = migrations.length
  if (from === to) return undefined
  const backup = from === 0 ? undefined : putAside(database, path, to)
  database.exec('BEGIN EXCLUSIVE')
  try {
    for (const step of migrations.slice(from)) database.exec(step)
    database.exec(`PRAGMA user_version = ${to}`)
    database.exec('COMMIT')
  } catch (thrown) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw thrown
  }
  return backup
}

/** Copies the database before version `to` is made of it. The copy gets its name when it is complete and on the disk. */
function putAside(database: Database, path: string, to: number): string {
  const backup = `${path}.before-v${to}`
  const partial = `${backup}.partial`
  rmSync(partial, { force: true })
  closeSync(openSync(partial, 'wx', 0o600))
  database.prepare('VACUUM INTO ?').run(partial)
  sync(partial)
  renameSync(partial, backup)
  if (process.platform !== 'win32') sync(dirname(path)) // a folder cannot be opened there
  return backup
}

function sync(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Full: a commit returns when the log is on the disk. The two `fullfsync` make macOS mean it, and are ignored elsewhere. */
function setUp(database: Database, maxBytes: number): void {
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA journal_size_limit = ${LOG_BYTES};
  `)
  emptyLog(database)
  if (maxBytes > 0) database.exec(`PRAGMA max_page_count = ${Math.ceil(maxBytes / pragma(database, 'page_size'))}`)
}

/**
 * A log is left over where a process was cut off. If a sync had failed before that, part of it may be in the system's memory
 * and not on the disk, which nothing here can tell; commits that came after such a part would be lost with it. Room for it may
 * be missing: then it stays, and so does what is in it.
 */
function emptyLog(database: Database): void {
  try {
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  } catch (thrown) {
    if (resultCode(thrown) !== SQLITE.FULL) throw thrown
  }
}

/** Whatever went wrong with a database, as a refusal that names it. */
export function explain(thrown: unknown, path: string): OpenRefusal {
  if (thrown instanceof OpenRefusal) return thrown
  const said = thrown instanceof Error ? thrown.message : String(thrown)
  const code = resultCode(thrown)
  if (code === SQLITE.NOTADB || code === SQLITE.CORRUPT) return new OpenRefusal('damaged', damaged(path, said), thrown)
  if (code === SQLITE.BUSY)
    return new OpenRefusal('busy', `The database ${path} is locked by another program. Close that program and start again.`, thrown)
  if (code === SQLITE.FULL)
    return new OpenRefusal('unwritable', `There is no room on the disk for the database ${path}. Free some and start again.`, thrown)
  if (code === SQLITE.IOERR)
    return new OpenRefusal('unwritable', `The disk failed under the database ${path} (${said}). Nothing of what it had kept was given up. `
      + 'Look into the system\'s log for what is wrong with the disk, and start again when it works.', thrown)
  if (code !== 0 && code !== SQLITE.CANTOPEN && code !== SQLITE.READONLY)
    return new OpenRefusal('failed', `The database ${path} could not be opened: ${said}`, thrown)
  return new OpenRefusal('unwritable', `The database ${path} cannot be written (${said}). `
    + 'Make it and its folder writable for this user, or set ISOPOD_HOME to a folder that is.', thrown)
}

function hasTables(database: Database): boolean {
  return database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() !== undefined
}

function pragma(database: Database, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name])
}
