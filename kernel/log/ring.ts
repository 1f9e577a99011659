/**
 * The newest lines of the log, in memory, for whoever asks what just happened. It keeps text, not objects: a thousand
 * lines are a few hundred kilobytes, and nothing in them keeps anything else alive.
 */

/** How many lines are kept. */
export const LINES_KEPT = 1_000

export const LEVELS = ['debug', 'info', 'warn', 'error'] as const

export type Level = (typeof LEVELS)[number]

/** A line that was logged. `at` is in milliseconds since 1970; `seq` starts at 1 and has no gaps. */
export interface LogEntry {
  readonly seq: number
  readonly at: number
  readonly level: Level
  readonly message: string
  readonly plugin?: string
  readonly facts: { readonly [name: string]: unknown }
}

/** Which lines: of this level or worse, of this plugin, after that number; 100 unless `limit` says otherwise. */
export interface LogQuery {
  readonly level?: Level
  readonly plugin?: string
  readonly after?: number
  readonly limit?: number
}

/** Oldest first. `next` is what to ask for as `after`, to go on where this ended. */
export interface LogPage {
  readonly entries: readonly LogEntry[]
  readonly next: number
}

export class Ring {
  readonly #lines: { seq: number; line: string }[] = []
  #seq = 0

  add(line: string): void {
    this.#lines.push({ seq: ++this.#seq, line })
    if (this.#lines.length > LINES_KEPT) this.#lines.shift()
  }

  /** All lines, oldest first. */
  lines(): string[] {
    return this.#lines.map(({ line }) => line)
  }

  /** `clean` looks at each entry once more: a secret may have become known after its line was written. */
  read({ level = 'debug', plugin, after, limit = 100 }: LogQuery, clean: (value: unknown) => unknown): LogPage {
    const wanted = this.#lines
      .filter(({ seq }) => seq > (after ?? 0))
      .map(({ seq, line }) => entryOf(seq, clean(JSON.parse(line))))
      .filter((entry) => LEVELS.indexOf(entry.level) >= LEVELS.indexOf(level) && (plugin === undefined || entry.plugin === plugin))
    const count = Math.min(Math.max(1, limit), LINES_KEPT)
    const entries = after === undefined ? wanted.slice(-count) : wanted.slice(0, count)
    const next = entries.length === count ? (entries.at(-1)?.seq ?? this.#seq) : this.#seq
    return { entries, next }
  }
}

function entryOf(seq: number, parsed: unknown): LogEntry {
  // The line is one of ours, written with exactly these fields.
  const { level, time, message, plugin, ...facts } = parsed as { level: Level; time: string; message: string; plugin?: string }
  return { seq, at: Date.parse(time), level, message, ...(plugin === undefined ? {} : { plugin }), facts }
}
