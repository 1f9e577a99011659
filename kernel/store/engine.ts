/**
 * The only door to Node's own SQLite. It is loaded at the first use and without the notice that it is experimental: this
 * program pins its Node, and a warning that nobody can act on teaches people to overlook the others. Those still appear.
 */
import type * as sqlite from 'node:sqlite'

type Engine = typeof sqlite

export type Database = sqlite.DatabaseSync
export type Statement = ReturnType<Database['prepare']>

let loaded: Engine | undefined

/** SQLite, loaded once per thread. */
export function engine(): Engine {
  loaded ??= loadQuietly()
  return loaded
}

/** SQLite's primary result code of a thrown error, or 0 if it is no error of SQLite's. */
export function resultCode(thrown: unknown): number {
  return extendedCode(thrown) & 0xff
}

/** The same with what SQLite knows beyond it: in which call to the system it was. */
export function extendedCode(thrown: unknown): number {
  return thrown instanceof Error && 'errcode' in thrown && typeof thrown.errcode === 'number' ? thrown.errcode : 0
}

/** The result codes that are acted on (sqlite.org/rescode.html). */
export const SQLITE = { BUSY: 5, READONLY: 8, IOERR: 10, CORRUPT: 11, FULL: 13, CANTOPEN: 14, NOTADB: 26 } as const

function loadQuietly(): Engine {
  const emitWarning: typeof process.emitWarning = Reflect.get(process, 'emitWarning') // put back as it was, so not bound
  process.emitWarning = ((warning: string | Error, ...rest: never[]) => {
    if (!String(warning).startsWith('SQLite is an experimental feature')) emitWarning.call(process, warning, ...rest)
  }) // one signature in place of several: all are passed on as they came
  try {
    return process.getBuiltinModule('node:sqlite')
  } finally {
    process.emitWarning = emitWarning
  }
}
