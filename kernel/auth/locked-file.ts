/**
 * A small text file that several processes read and change: a change is made under a lock, on what the file says at that
 * moment, and appears whole or not at all, whatever is killed meanwhile. Only its owner may read it. It does not know what
 * the text means.
 */
import { constants, closeSync, fstatSync, openSync, readFileSync, statSync } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { RpcError } from '@isopod/plugin-api'

/** What the file held, and a stamp that is different once it holds something else. */
export interface FileContent {
  readonly text: string
  readonly stamp: string
}

/** A lock whose holder was killed is taken over after this. A change takes milliseconds. */
const STALE_LOCK_MS = 5_000
/** About eight seconds in all: longer than a killed holder's lock lives. */
const LOCK_RETRIES = { retries: 40, factor: 1.2, minTimeout: 20, maxTimeout: 250 }

export class LockedFile {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /** Undefined where there is no such file. Throws an Error that names the file where it cannot be read. */
  read(): FileContent | undefined {
    const file = this.#whereReadable(() => openSync(this.path, constants.O_RDONLY))
    if (file === undefined) return undefined
    try {
      // The stamp and the text of the same file, even if another is renamed over it meanwhile.
      return this.#whereReadable(() => ({ stamp: stampOf(fstatSync(file, { bigint: true })), text: readFileSync(file, 'utf8') }))
    } finally {
      closeSync(file)
    }
  }

  /** The stamp of the file as it is now, without reading it. Undefined where there is no such file; throws as `read` does. */
  stamp(): string | undefined {
    return this.#whereReadable(() => stampOf(statSync(this.path, { bigint: true })))
  }

  /**
   * Replaces the text by what `change` makes of it; undefined means no change. What `change` throws is thrown on, with
   * nothing written. Rejects with `unavailable`, retryable, where the lock or the disk cannot be had. Answers the content
   * that is now in force.
   */
  async edit(change: (before: FileContent | undefined) => string | undefined): Promise<FileContent | undefined> {
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 }).catch((error: unknown) => {
      throw this.#unavailable('cannot be written', error)
    })
    const lock = await this.#lock()
    try {
      const before = this.read()
      const text = change(before)
      return text === undefined ? before : { text, stamp: await this.#replace(text, lock.held) }
    } finally {
      await lock.release()
    }
  }

  async #lock(): Promise<{ readonly held: () => boolean; readonly release: () => Promise<void> }> {
    const { lock } = await import('proper-lockfile')
    let held = true
    const onCompromised = (): void => void (held = false)
    try {
      const release = await lock(this.path, { realpath: false, stale: STALE_LOCK_MS, retries: LOCK_RETRIES, onCompromised })
      // A lock that was taken over is no longer ours to release.
      return { held: () => held, release: () => (held ? release().catch(() => {}) : Promise.resolve()) }
    } catch (error) {
      const taken = codeOf(error) === 'ELOCKED'
      throw this.#unavailable(taken ? 'is being changed by another process' : 'cannot be locked', error)
    }
  }

  /** Written beside the file, flushed, and renamed over it, then the directory flushed: after a crash one of the two is whole. */
  async #replace(text: string, held: () => boolean): Promise<string> {
    const beside = `${this.path}.new`
    try {
      await rm(beside, { force: true })
      const stamp = await write(beside, text)
      if (!held()) throw new Error('the lock was lost')
      await rename(beside, this.path)
      await flushDirectory(dirname(this.path))
      return stamp
    } catch (error) {
      await rm(beside, { force: true }).catch(() => {})
      throw this.#unavailable('cannot be written', error)
    }
  }

  #whereReadable<Result>(read: () => Result): Result | undefined {
    try {
      return read()
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw new Error(`${this.path} cannot be read${inBrackets(error)}`, { cause: error })
    }
  }

  #unavailable(what: string, cause: unknown): RpcError {
    return new RpcError('unavailable', `${basename(this.path)} ${what}${inBrackets(cause)}`, { retryable: true, cause })
  }
}

async function write(path: string, text: string): Promise<string> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
    return stampOf(await file.stat({ bigint: true }))
  } finally {
    await file.close()
  }
}

/** Makes a rename survive a power cut. Windows has no such call and needs none. */
async function flushDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const directory = await open(path, constants.O_RDONLY)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** Every change is a new file, so the inode tells two changes within one tick of the file system's clock apart. */
function stampOf(file: { readonly ino: bigint; readonly mtimeNs: bigint; readonly size: bigint }): string {
  return `${file.ino}.${file.mtimeNs}.${file.size}`
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}

function inBrackets(error: unknown): string {
  const code = codeOf(error)
  return code === undefined ? '' : ` (${code})`
}
