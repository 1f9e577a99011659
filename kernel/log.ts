/**
 * The gateway's log. A line is a message for people and facts for programs; it goes as JSON to a file in the home, to the
 * console, and into a memory of the newest lines. No secret leaves through it, nothing a plugin hands it can make it
 * throw, and a disk that is full costs lines and nothing else. pino makes the lines; nobody else sees pino.
 */
import { pino } from 'pino'
import type { Logger } from 'pino'
import type { Log as PluginLog } from '@isopod/plugin-api'
import { Outlet } from './log/outlet.ts'
import type { LogOptions, LogSettings } from './log/outlet.ts'
import { LEVELS } from './log/ring.ts'
import type { Level, LogPage, LogQuery } from './log/ring.ts'

export { LEVELS } from './log/ring.ts'
export type { Console, LogOptions, LogSettings } from './log/outlet.ts'
export type { Level, LogEntry, LogPage, LogQuery } from './log/ring.ts'

/** Facts that stand on every line of a child: the plugin it belongs to, the call it serves. */
export interface Bindings {
  readonly [name: string]: string | number
}

export interface Log extends PluginLog {
  /** A log whose every line also carries `bindings`. What a line says itself cannot replace them. */
  child(bindings: Bindings): Log
  /** From now on this text appears in no line of this log, its children's included. */
  hide(secret: string): void
  /** The least that is written, for this log and all that share its file. */
  level: Level
  /** Puts the owner's settings in force, at the start and after each change of the config. Without `file` the file is closed. */
  adjust(settings: LogSettings): void
  /** The newest lines, filtered: those still in memory. */
  recent(query?: LogQuery): LogPage
  /** As `recent`, and where a page begins earlier, from the log's files. */
  read(query?: LogQuery): Promise<LogPage>
  /** The numbers of the newest line, and of the oldest that is still in memory. */
  readonly last: number
  readonly first: number
  /** Calls back after each line with its number. The listener must not throw. Answers its own undo. */
  onLine(listener: (seq: number) => void): () => void
  /** Resolves when what was logged so far is written, or when the disk will not take it. */
  flush(): Promise<void>
  /** Writes what waits and closes the file. Later lines only reach the memory. */
  close(): Promise<void>
}

export function openLog(options: LogOptions = {}): Log {
  const outlet = new Outlet(options)
  const make = pino(
    {
      level: 'debug',
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date(outlet.clock.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      depthLimit: 8,
      edgeLimit: 200,
    },
    { write: (line: string) => outlet.take(line) },
  )
  return new PinoLog(outlet, make, {})
}

class PinoLog implements Log {
  readonly #outlet: Outlet
  readonly #pino: Logger
  readonly #bindings: Bindings

  constructor(outlet: Outlet, logger: Logger, bindings: Bindings) {
    this.#outlet = outlet
    this.#pino = logger
    this.#bindings = bindings
  }

  debug(message: string, facts?: object): void {
    this.#line('debug', message, facts)
  }

  info(message: string, facts?: object): void {
    this.#line('info', message, facts)
  }

  warn(message: string, facts?: object): void {
    this.#line('warn', message, facts)
  }

  error(message: string, facts?: object): void {
    this.#line('error', message, facts)
  }

  child(bindings: Bindings): Log {
    const all = { ...this.#bindings, ...bindings }
    return new PinoLog(this.#outlet, this.#pino, all)
  }

  hide(secret: string): void {
    this.#outlet.secrecy.hide(secret)
  }

  get level(): Level {
    return this.#outlet.level
  }

  set level(level: Level) {
    this.#outlet.level = level
  }

  adjust(settings: LogSettings): void {
    this.#outlet.adjust(settings)
  }

  recent(query: LogQuery = {}): LogPage {
    return this.#outlet.recent(query)
  }

  read(query: LogQuery = {}): Promise<LogPage> {
    return this.#outlet.read(query)
  }

  get last(): number {
    return this.#outlet.last
  }

  get first(): number {
    return this.#outlet.first
  }

  onLine(listener: (seq: number) => void): () => void {
    return this.#outlet.onLine(listener)
  }

  flush(): Promise<void> {
    return this.#outlet.flush()
  }

  close(): Promise<void> {
    return this.#outlet.close()
  }

  #line(level: Level, message: string, facts: object | undefined): void {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(this.#outlet.level)) return
    const text = typeof message === 'string' ? message : JSON.stringify(message) // a plugin without types may pass anything
    try {
      this.#pino[level](factsOf(facts, this.#bindings), text)
    } catch {
      this.#pino[level]({ ...this.#bindings, unwritable: true }, text) // a getter of the facts threw
    }
  }
}

const RESERVED = ['seq', 'level', 'time', 'message', 'plugin']

/** The facts as pino takes them: errors spelled out, nothing in the way of the line's own fields. */
function factsOf(facts: object | undefined, bindings: Bindings): object {
  if (!facts) return bindings
  const own = facts instanceof Error ? { error: facts } : facts
  const entries = Object.entries(own).map(([name, value]): [string, unknown] => {
    const free = RESERVED.includes(name) || Object.hasOwn(bindings, name) ? `${name}_` : name
    return [free, value instanceof Error ? pino.stdSerializers.errWithCause(value) : value]
  })
  return { ...bindings, ...Object.fromEntries(entries) }
}
