/**
 * The folder a gateway lives in: where each thing is, made with modes that keep others out, and held by one gateway at a
 * time. Whoever comes second is told who was first. Knows names and modes, not what is inside the files.
 */
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Clock } from './clock.ts'
import { isLocked, takeLock } from './store/lock.ts'

/** Where things are. All paths are absolute. */
export interface HomePaths {
  readonly path: string
  readonly database: string
  readonly logs: string
  readonly secrets: string
  readonly plugins: string
  /** What is installed, in which version and with which grants. */
  readonly installed: string
  /** Held by the operating system for the gateway. Never open it while holding it (see `store/lock.ts`). */
  readonly lock: string
  /** Who holds the lock, for people; the lock itself is what counts. */
  readonly holder: string
}

/** Who runs in a home. `since` is in milliseconds since 1970; `port` is there once it listens. */
export interface Holder {
  readonly pid: number
  readonly since: number
  readonly port?: number
}

/** A home that this process holds. */
export interface Home extends HomePaths {
  /** The gateway that was here before and did not end by itself: it was killed, or the machine was. */
  readonly cutOff: Holder | undefined
  /** What the owner should know about it, in sentences; empty when all is well. */
  readonly warnings: readonly string[]
  /** Tells others on which port the gateway of this home listens. Throws a `HomeError` where that cannot be written. */
  announce(port: number): void
  /** Lets the next gateway in. May be called twice. */
  release(): void
}

/** A home that cannot be used. The message names it and says what to do. */
export class HomeError extends Error {
  override readonly name = 'HomeError'
  readonly reason: 'held' | 'unwritable'
  /** Who holds it, where that is known. */
  readonly holder: Holder | undefined

  constructor(reason: HomeError['reason'], message: string, { cause, holder }: { cause?: unknown; holder?: Holder | undefined }) {
    super(message, cause === undefined ? undefined : { cause })
    this.reason = reason
    this.holder = holder
  }
}

type Environment = Readonly<Record<string, string | undefined>>

/** Where the home is: `ISOPOD_HOME`, or `.isopod` in the user's own folder. Looks at nothing and makes nothing. */
export function locateHome(env: Environment, userHome: string = homedir()): HomePaths {
  const path = locate(env['ISOPOD_HOME']?.trim(), userHome)
  return {
    path,
    database: join(path, 'isopod.db'),
    logs: join(path, 'logs'),
    secrets: join(path, 'secrets'),
    plugins: join(path, 'plugins'),
    installed: join(path, 'isopod.lock.json'),
    lock: join(path, 'gateway.lock'),
    holder: join(path, 'gateway.holder.json'),
  }
}

/**
 * Makes the home and takes it for this process. Throws a `HomeError` where another gateway holds it, or where it cannot be
 * written.
 */
export async function openHome(env: Environment, options: { readonly clock: Clock; readonly userHome?: string }): Promise<Home> {
  const paths = locateHome(env, options.userHome)
  const warnings = make(paths)
  const since = options.clock.now()
  const lock = take(paths)
  // Whoever ends by itself takes its own record away.
  const cutOff = recorded(paths)
  let held = true
  const home = Object.freeze<Home>({
    ...paths,
    cutOff,
    warnings,
    announce(port) {
      if (held) record(paths, { pid: process.pid, since, port })
    },
    release() {
      if (!held) return
      held = false
      rmSync(paths.holder, { force: true })
      lock.release()
    },
  })
  try {
    record(paths, { pid: process.pid, since })
  } catch (thrown) {
    home.release()
    throw thrown
  }
  return home
}

/** The gateway that runs in a home now, or undefined. Never in the way of it. */
export function holderOf(paths: HomePaths): Holder | 'unknown' | undefined {
  if (statSync(paths.lock, { throwIfNoEntry: false }) === undefined || !isLocked(paths.lock)) return undefined
  return recorded(paths) ?? 'unknown'
}

/** A `~` arrives unexpanded from files that no shell has read. */
function locate(given: string | undefined, userHome: string): string {
  if (given === undefined || given === '') return join(userHome, '.isopod')
  if (given === '~' || given.startsWith('~/')) return join(userHome, given.slice(1))
  return resolve(given)
}

function make(paths: HomePaths): string[] {
  try {
    for (const folder of [paths.path, paths.logs, paths.secrets, paths.plugins]) makeFolder(folder)
    makeEmpty(paths.lock)
    return process.platform === 'win32' ? [] : closeToOthers(paths)
  } catch (cause) {
    throw unwritable(paths, cause)
  }
}

/** Alone first: where Node makes parents too, it says of a disk that may only be read that there is no such folder. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (thrown) {
    // What the file system throws has a code.
    const { code } = thrown as NodeJS.ErrnoException
    if (code === 'EEXIST' && statSync(path).isDirectory()) return
    if (code !== 'ENOENT') throw thrown
    mkdirSync(path, { recursive: true, mode: 0o700 })
  }
}

/** Only if it is absent: opening and closing it would end a lock on it that this process already holds. */
function makeEmpty(path: string): void {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) closeSync(openSync(path, 'a', 0o600))
}

/** A home that was there before may be a folder that others share on purpose, so only what is surely ours is closed. */
function closeToOthers(paths: HomePaths): string[] {
  if (isOpenToOthers(paths.secrets)) chmodSync(paths.secrets, 0o700)
  if (!isOpenToOthers(paths.path)) return []
  return [`Other users of this machine can look into ${paths.path}. If that is not meant: chmod 700 ${paths.path}`]
}

function isOpenToOthers(path: string): boolean {
  return (statSync(path).mode & 0o077) !== 0
}

function take(paths: HomePaths): { release(): void } {
  let lock
  try {
    lock = takeLock(paths.lock)
  } catch (cause) {
    throw unwritable(paths, cause)
  }
  if (lock === undefined) throw held(paths)
  return lock
}

function held(paths: HomePaths): HomeError {
  const holder = recorded(paths)
  const who = holder === undefined ? 'Another gateway' : `A gateway (${holderInWords(holder)})`
  const message = `${who} already runs with the home ${paths.path}. Stop it, or set ISOPOD_HOME to another folder.`
  return new HomeError('held', message, { holder })
}

/** A process, for people. */
export function holderInWords({ pid, since, port }: Holder): string {
  return `process ${pid}, since ${new Date(since).toISOString()}${port === undefined ? '' : `, port ${port}`}`
}

function unwritable(paths: HomePaths, cause: unknown): HomeError {
  const said = cause instanceof Error ? cause.message : String(cause)
  return new HomeError('unwritable', `The home ${paths.path} cannot be used (${said}). `
    + 'Make it a folder that this user may write, or set ISOPOD_HOME to one.', { cause })
}

/** Whole or not at all, since others read it at any time. */
function record(paths: HomePaths, holder: Holder): void {
  try {
    writeFileSync(`${paths.holder}.new`, `${JSON.stringify(holder)}\n`, { mode: 0o600 })
    renameSync(`${paths.holder}.new`, paths.holder)
  } catch (cause) {
    throw unwritable(paths, cause)
  }
}

function recorded(paths: HomePaths): Holder | undefined {
  try {
    // Any JSON may be in a file; what has no properties throws like what is no JSON.
    const { pid, since, port } = JSON.parse(readFileSync(paths.holder, 'utf8')) as Partial<Record<string, unknown>>
    if (typeof pid !== 'number' || typeof since !== 'number' || Number.isNaN(new Date(since).valueOf())) return undefined
    return { pid, since, ...(typeof port === 'number' ? { port } : {}) }
  } catch {
    return undefined
  }
}
