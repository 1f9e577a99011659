/**
 * The log's file: opened when the first line comes, renamed to `.1` when it has grown to its bound, of which five are
 * kept. It answers the descriptor to write to and never throws: without a file there is a gateway without a log, which
 * says so on the console.
 */
import { closeSync, fstatSync, mkdirSync, openSync, readSync, renameSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** A log of ten megabytes opens in any editor; five of them are about half a million lines. */
export const ROTATE_BYTES = 10 * 1024 * 1024
export const FILES_KEPT = 5

const LINE_FEED = 10

export class RotatingFile {
  readonly #path: string
  readonly #maxBytes: number
  #descriptor: number | undefined
  #bytes = 0

  constructor(path: string, maxBytes = ROTATE_BYTES) {
    this.#path = path
    this.#maxBytes = maxBytes
  }

  /** The open file, or undefined where it cannot be opened now. Opens it again after somebody moved or removed it. */
  descriptor(): number | undefined {
    if (this.#descriptor !== undefined && !this.#isInPlace(this.#descriptor)) this.close()
    return (this.#descriptor ??= this.#open())
  }

  /** Counts what was written, and turns to a new file when this one is full. */
  written(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes >= this.#maxBytes) this.#rotate()
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
  }

  #open(): number | undefined {
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 })
      const descriptor = openSync(this.#path, 'a+', 0o600)
      this.#bytes = fstatSync(descriptor).size
      endLine(descriptor, this.#bytes)
      return descriptor
    } catch {
      return undefined
    }
  }

  #isInPlace(descriptor: number): boolean {
    try {
      return statSync(this.#path).ino === fstatSync(descriptor).ino
    } catch {
      return false
    }
  }

  #rotate(): void {
    this.close()
    for (let number = FILES_KEPT - 1; number >= 1; number--) {
      move(number === 1 ? this.#path : `${this.#path}.${number - 1}`, `${this.#path}.${number}`)
    }
  }
}

/** A process that was killed may have left half a line; ours must not become its other half. */
function endLine(descriptor: number, size: number): void {
  const last = Buffer.alloc(1)
  if (size > 0 && readSync(descriptor, last, 0, 1, size - 1) === 1 && last[0] !== LINE_FEED) writeSync(descriptor, '\n')
}

function move(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch {
    // Not there yet, or not ours to move: the file then grows on, which loses nothing.
  }
}
