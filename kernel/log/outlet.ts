/**
 * What a log and all its children share: the level, the secrets, the file, the console, the memory. A finished line comes
 * in, is made safe, and goes to each of them. It knows how a line is spelled and nothing of who wrote it.
 */
import { systemClock } from '../clock.ts'
import type { Clock } from '../clock.ts'
import { lastNumberIn, numbered } from './history.ts'
import { readPage } from './page.ts'
import { prettyLine } from './pretty.ts'
import { Ring } from './ring.ts'
import type { Level, LogPage, LogQuery } from './ring.ts'
import { RotatingFile } from './rotation.ts'
import { Secrecy } from './secrecy.ts'
import { Sink } from './sink.ts'

/** Where lines for the person who started the gateway go. */
export interface Console {
  readonly isTerminal: boolean
  readonly colour: boolean
  write(text: string): void
  flush?(): Promise<void>
  /** Writes what waits before it returns, for a process that is about to end. */
  flushNow?(): void
}

/** What the owner's config says of the log. */
export interface LogSettings {
  readonly level?: Level
  /** Absent: no file. */
  readonly file?: string | undefined
  /** Lines for people on the console. Unless said: where it is a terminal. */
  readonly pretty?: boolean | undefined
}

export interface LogOptions extends LogSettings {
  readonly clock?: Clock
  /** Unless said: the process's standard error. False for none. */
  readonly console?: Console | false
  /** When the file is rotated. */
  readonly rotateBytes?: number
}

/** A line of ours has exactly these, and facts. */
interface LineFields {
  readonly level: Level
  readonly time: string
  readonly message: string
  readonly plugin?: string
}

interface LogFile {
  readonly path: string
  readonly file: RotatingFile
  readonly sink: Sink
}

/** A line longer than this loses its facts, and its message what goes beyond: one line must not fill the disk. */
const MAX_LINE = 32 * 1024
const MAX_MESSAGE = 4 * 1024

export class Outlet {
  readonly secrecy = new Secrecy()
  readonly clock: Clock
  level: Level = 'info'
  readonly #ring = new Ring()
  readonly #console: Console | undefined
  readonly #rotateBytes: number | undefined
  #file: LogFile | undefined
  #pretty = false
  /** Whether the numbers go on from those of a file. */
  #isContinued = false
  readonly #listeners = new Set<(seq: number) => void>()
  readonly #onExit = () => {
    this.#file?.sink.flushNow()
    this.#console?.flushNow?.()
  }

  constructor(options: LogOptions) {
    this.clock = options.clock ?? systemClock
    this.#console = options.console === false ? undefined : (options.console ?? standardError(this.clock))
    this.#rotateBytes = options.rotateBytes
    this.adjust(options)
  }

  adjust({ level = this.level, file, pretty }: LogSettings): void {
    this.level = level
    this.#pretty = pretty ?? this.#console?.isTerminal ?? false
    if (file !== this.#file?.path) this.#turnTo(file)
    process.removeListener('exit', this.#onExit)
    if (this.#file || this.#console?.flushNow) process.once('exit', this.#onExit)
  }

  take(line: string): void {
    const safe = this.#safe(line)
    const seq = this.#ring.add(safe)
    this.#file?.sink.write(numbered(seq, safe))
    this.#console?.write(this.#pretty ? this.#prettyOf(safe) : safe)
    for (const listener of this.#listeners) listener(seq)
  }

  get last(): number {
    return this.#ring.last
  }

  get first(): number {
    return this.#ring.first
  }

  onLine(listener: (seq: number) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  recent(query: LogQuery): LogPage {
    return this.#ring.read(query, this.#shown)
  }

  read(query: LogQuery): Promise<LogPage> {
    return readPage(query, { ring: this.#ring, path: this.#file?.path, flush: () => this.flush(), clean: this.#shown })
  }

  async flush(): Promise<void> {
    await Promise.all([this.#file?.sink.flush(), this.#console?.flush?.()])
  }

  async close(): Promise<void> {
    await this.flush()
    process.removeListener('exit', this.#onExit)
    this.#file?.file.close()
    this.#file = undefined
  }

  /** The first file also gets what was logged before its name was known: the config is read before its `log.file` is. */
  #turnTo(path: string | undefined): void {
    const before = this.#file
    this.#file = path === undefined ? undefined : this.#openFile(path)
    if (path !== undefined) this.#continue(lastNumberIn(path))
    if (before) void before.sink.flush().then(() => before.file.close())
    else for (const { seq, line } of this.#ring.lines()) this.#file?.sink.write(numbered(seq, line))
  }

  /** What was logged before the first file had a name comes after what that file holds already. */
  #continue(last: number): void {
    if (this.#isContinued) this.#ring.skipTo(last)
    else this.#ring.goOnAfter(last)
    this.#isContinued = true
  }

  #openFile(path: string): LogFile {
    const file = new RotatingFile(path, this.#rotateBytes)
    const sink = new Sink({
      clock: this.clock,
      descriptor: () => file.descriptor(),
      written: (bytes) => file.written(bytes),
      lossLine: (lines) => this.#lossLine(lines),
    })
    return { path, file, sink }
  }

  #safe(line: string): string {
    if (line.length <= MAX_LINE && !this.secrecy.suspects(line)) return line
    const { level, time, message, plugin, ...facts } = this.#clean(JSON.parse(line)) as { [name: string]: unknown }
    const whole = JSON.stringify({ level, time, plugin, ...facts, message })
    if (whole.length <= MAX_LINE) return `${whole}\n`
    return `${JSON.stringify({ level, time, plugin, shortened: line.length, message: String(message).slice(0, MAX_MESSAGE) })}\n`
  }

  readonly #shown = (value: unknown): unknown => this.#clean(value)

  /** The fields a line is found and ordered by stay as they are, even where a secret happens to look like a date. */
  #clean(value: unknown): unknown {
    const { level, time, ...rest } = value as { [name: string]: unknown } // a line of ours is an object
    return { level, time, ...(this.secrecy.clean(rest) as object) }
  }

  #prettyOf(line: string): string {
    const { level, time, message, plugin, ...facts } = JSON.parse(line) as LineFields
    return prettyLine({ at: Date.parse(time), level, message, ...(plugin === undefined ? {} : { plugin }), facts }, this.#console?.colour ?? false)
  }

  #lossLine(lines: number): string {
    const time = new Date(this.clock.now()).toISOString()
    return `${JSON.stringify({ seq: this.#ring.number(), level: 'warn', time, lines, message: `${lines} lines were lost: the log could not be written` })}\n`
  }
}

/** Standard error through a sink of its own: a pipe whose reader has stopped would otherwise hold the whole gateway. */
function standardError(clock: Clock): Console {
  const isTerminal = process.stderr.isTTY
  const lossLine = (lines: number) => `${lines} lines of the log were lost\n`
  const sink = new Sink({ clock, descriptor: () => 2, lossLine })
  return {
    isTerminal,
    colour: isTerminal && process.stderr.hasColors(),
    write: (text) => sink.write(text),
    flush: () => sink.flush(),
    flushNow: () => sink.flushNow(),
  }
}
