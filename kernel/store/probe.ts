/**
 * Asks a disk that refused something, every few seconds, whether it takes writes again: nobody else may be asking, since a
 * gateway that says it is not ready gets no traffic. Knows time and room; what is written, and what comes of it, it does not.
 */
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock } from '../clock.ts'
import { PROBE_MS, VALUE_LENGTH } from './bounds.ts'

export interface ProbeParts {
  readonly clock: Clock
  /** The database file. */
  readonly path: string
  /** Whether the disk is still in trouble. */
  readonly needed: () => boolean
  /** Writes something that changes nothing. May reject. */
  readonly write: () => Promise<unknown>
}

export class Probe {
  readonly #parts: ProbeParts
  #cancel: (() => void) | undefined

  constructor(parts: ProbeParts) {
    this.#parts = parts
  }

  /** Asks until it is no longer needed. May be called while it does. */
  begin(): void {
    this.#cancel ??= this.#parts.clock.after(PROBE_MS, () => void this.#ask())
  }

  end(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  async #ask(): Promise<void> {
    const { needed, path, write } = this.#parts
    if (needed() && (await hasRoom(path))) await write().catch(() => {}) // the refusal has been told, and the next try is below
    this.#cancel = undefined
    if (needed()) this.begin()
  }
}

/**
 * Not while there is less than the largest value needs: a small write that succeeds would prove nothing. A disk that does not
 * say is asked.
 */
async function hasRoom(path: string): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(dirname(path))
    return bavail * bsize >= VALUE_LENGTH
  } catch {
    return true
  }
}
