/**
 * The lines that are no longer in memory: those of the file and of the files it was rotated to, of earlier processes too.
 * A line there begins with its number, so a page is found again however often the files have been renamed since. Files
 * are read in pieces, never whole; what is no line of ours is passed over.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { FILES_KEPT } from './rotation.ts'

const PIECE_BYTES = 256 * 1024
/** A line of ours is shorter (see `MAX_LINE`); what is longer is somebody else's file. */
const LONGEST_LINE = 1024 * 1024
/** Holds the last whole line of any file of ours. */
const TAIL_BYTES = 128 * 1024

const NUMBERED = /^\{"seq":(\d{1,15}),/

/** The line as it stands in a file. */
export function numbered(seq: number, line: string): string {
  return `{"seq":${seq},${line.slice(1)}`
}

/** The number of the last line that was ever written to a file; 0 where there is none, or no file. Never throws. */
export function lastNumberIn(path: string): number {
  return tailNumber(path) || tailNumber(`${path}.1`)
}

function tailNumber(path: string): number {
  try {
    const descriptor = openSync(path, 'r')
    try {
      const { size } = fstatSync(descriptor)
      const tail = Buffer.alloc(Math.min(size, TAIL_BYTES))
      const length = readSync(descriptor, tail, 0, tail.length, size - tail.length)
      const last = tail.toString('utf8', 0, length).split('\n').findLast((line) => NUMBERED.test(line))
      return last === undefined ? 0 : numberOf(last)
    } finally {
      closeSync(descriptor)
    }
  } catch {
    return 0
  }
}

/** Which lines are wanted, and what to make of them. Either may throw at a line that is broken, which is passed over then. */
export interface Choice<Kept> {
  readonly wants: (line: string) => boolean
  readonly make: (seq: number, line: string) => Kept
}

/** What was found, oldest first, and the number of the last line that was looked at. */
export interface Found<Kept> {
  readonly kept: readonly Kept[]
  readonly seen: number
}

/** The first `count` lines after number `after` that are picked. */
export async function readOn<Kept>(path: string, after: number, count: number, choice: Choice<Kept>): Promise<Found<Kept>> {
  return withFiles(path, async (files) => {
    const kept: Kept[] = []
    let seen = after
    for (const file of await from(after, files.toReversed())) {
      for await (const lines of piecesOf(file)) {
        for (const line of lines) {
          const seq = numberOf(line)
          if (seq <= seen) continue
          seen = seq
          kept.push(...made(choice, seq, line))
          if (kept.length === count) return { kept, seen }
        }
      }
    }
    return { kept, seen }
  })
}

/** The last `count` lines before number `before` that are picked. */
export async function readBack<Kept>(path: string, before: number, count: number, choice: Choice<Kept>): Promise<readonly Kept[]> {
  return withFiles(path, async (files) => {
    let kept: Kept[] = []
    for (const file of files) {
      const lines = await lastIn(file, before, count - kept.length, choice)
      kept = [...lines.flatMap((line) => made(choice, numberOf(line), line)), ...kept]
      if (kept.length === count) break
    }
    return kept
  })
}

/** The last lines of one file that are wanted, as they stand there. */
async function lastIn<Kept>(file: FileHandle, before: number, count: number, choice: Choice<Kept>): Promise<readonly string[]> {
  const wanted: string[] = []
  for await (const lines of piecesOf(file)) {
    const past = lines.findIndex((line) => numberOf(line) >= before)
    const inside = past === -1 ? lines : lines.slice(0, past)
    wanted.push(...inside.filter((line) => numberOf(line) > 0 && isSound(() => choice.wants(line))))
    wanted.splice(0, wanted.length - count)
    if (past !== -1) break
  }
  return wanted
}

/** Newest first. One that is rotated away while they are being opened is there twice, and is taken once. */
async function withFiles<Result>(path: string, use: (files: readonly FileHandle[]) => Promise<Result>): Promise<Result> {
  const opened = new Map<number, FileHandle>()
  const doubled: FileHandle[] = []
  try {
    for (let number = 0; number < FILES_KEPT; number++) {
      const file = await open(number === 0 ? path : `${path}.${number}`).catch(() => undefined)
      if (!file) continue
      const { ino } = await file.stat()
      if (opened.has(ino)) doubled.push(file)
      else opened.set(ino, file)
    }
    return await use([...opened.values()])
  } finally {
    await Promise.all([...opened.values(), ...doubled].map((file) => file.close().catch(() => {})))
  }
}

/** Those of the files, oldest first, that may hold a line after `after`. */
async function from(after: number, files: readonly FileHandle[]): Promise<readonly FileHandle[]> {
  let first = 0
  for (const [index, file] of files.entries()) {
    const begins = await beginningOf(file)
    if (begins > 0 && begins <= after + 1) first = index
  }
  return files.slice(first)
}

/** The number of a file's first line of ours, where it stands at its beginning. */
async function beginningOf(file: FileHandle): Promise<number> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(32), 0, 32, 0)
  return numberOf(buffer.toString('utf8', 0, bytesRead))
}

/** The lines of a file, a piece of it at a time: what comes after the last line feed is half a line, and nobody's yet. */
async function* piecesOf(file: FileHandle): AsyncGenerator<readonly string[]> {
  const piece = Buffer.alloc(PIECE_BYTES)
  let rest = Buffer.alloc(0)
  let at = 0
  for (;;) {
    const { bytesRead } = await file.read(piece, 0, piece.length, at)
    if (bytesRead === 0) return
    at += bytesRead
    const bytes = Buffer.concat([rest, piece.subarray(0, bytesRead)])
    const end = bytes.lastIndexOf(10) + 1
    rest = bytes.length - end > LONGEST_LINE ? Buffer.alloc(0) : Buffer.from(bytes.subarray(end))
    if (end > 0) yield bytes.toString('utf8', 0, end - 1).split('\n')
  }
}

/** 0 where it is no line of ours. */
function numberOf(line: string): number {
  return Number(NUMBERED.exec(line)?.[1] ?? 0)
}

/** What is made of a line that is wanted; of any other, nothing. */
function made<Kept>({ wants, make }: Choice<Kept>, seq: number, line: string): readonly Kept[] {
  const kept: Kept[] = []
  isSound(() => wants(line) && kept.push(make(seq, line)) > 0)
  return kept
}

/** A line that was cut or written over is not worth a failed page. */
function isSound(test: () => boolean): boolean {
  try {
    return test()
  } catch {
    return false
  }
}
