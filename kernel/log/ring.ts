/**
 * The newest lines of the log, in memory, for whoever asks what just happened. It keeps text, not objects: a thousand
 * lines are a few hundred kilobytes, and nothing in them keeps anything else alive.
 */

/** How many lines are kept. */
export const LINES_KEPT = 1_000

export const LEVELS = ['debug', 'info', 'warn', 'error'] as const

export type Level = (typeof LEVELS)[number]

/**
 * A line that was logged. `at` is in milliseconds since 1970; `seq` grows
 * from line to line, across restarts that share a file.
 */
export interface LogEntry {
  readonly seq: number
  readonly at: number
  readonly level: Level
  readonly message: string
  readonly plugin?: string
  readonly facts: { readonly [name: string]: unknown }
}

/** Which lines: of this level or worse, of this plugin, after or before that number; 100 unless `limit` says otherwise. */
export interface LogQuery {
  readonly level?: Level
  /** An id, whatever the version. */
  readonly plugin?: string
  readonly after?: number
  readonly before?: number
  readonly limit?: number
}

/** Oldest first. `next` is what to ask for as `after`, to go on where this ended. */
export interface LogPage {
  readonly entries: readonly LogEntry[]
  readonly next: number
}

/** What a line must be to be wanted, whatever place it is read from. */
export type Wanting = Pick<LogQuery, 'level' | 'plugin'>

export class Ring {
  #lines: { seq: number; line: string }[] = []
  #seq = 0

  /** The number of the newest line; 0 where there was none. */
  get last(): number {
    return this.#seq
  }

  /** The number of the oldest line that is still here, or will be. */
  get first(): number {
    return this.#lines[0]?.seq ?? this.#seq + 1
  }

  add(line: string): number {
    this.#lines.push({ seq: ++this.#seq, line })
    if (this.#lines.length > LINES_KEPT) this.#lines.shift()
    return this.#seq
  }

  /** A number for a line that is not kept here. */
  number(): number {
    return ++this.#seq
  }

  /** Numbers what is here, and what comes, as if `earlier` lines had come before. */
  goOnAfter(earlier: number): void {
    this.#lines = this.#lines.map(({ seq, line }) => ({ seq: seq + earlier, line }))
    this.#seq += earlier
  }

  /** Numbers what comes no lower than from here on. */
  skipTo(seq: number): void {
    this.#seq = Math.max(this.#seq, seq)
  }

  /** All lines, oldest first. */
  lines(): readonly { readonly seq: number; readonly line: string }[] {
    return this.#lines
  }

  /** `clean` looks at each entry once more: a secret may have become known after its line was written. */
  read({ after, before = Infinity, limit, ...wanting }: LogQuery, clean: (value: unknown) => unknown): LogPage {
    const isForward = after !== undefined
    const found: LogEntry[] = []
    const inside = this.#lines.filter(({ seq }) => seq > (after ?? 0) && seq < before)
    for (const { seq, line } of isForward ? inside : inside.reverse()) {
      if (isWanted(line, wanting)) found.push(entryOf(seq, line, clean))
      if (found.length === pageOf(limit)) break
    }
    const entries = isForward ? found : found.reverse()
    return { entries, next: nextOf(entries, limit, Math.min(this.#seq, before - 1)) }
  }
}

/** How many lines a page has: as many as are asked for, and no more than a ring holds. */
export function pageOf(limit = 100): number {
  return Math.min(Math.max(1, limit), LINES_KEPT)
}

/** A page that is full may have left lines behind it; one that is not has seen all there are. */
export function nextOf(entries: readonly LogEntry[], limit: number | undefined, seen: number): number {
  return entries.length === pageOf(limit) ? (entries.at(-1)?.seq ?? seen) : seen
}

/** Whether a line is wanted. Most can be told by their text alone; parsing all of a file takes half a second. */
export function isWanted(line: string, { level = 'debug', plugin }: Wanting): boolean {
  // A line begins with its level, so the first one found is its own.
  if (!isAtLeast(/"level":"(\w+)"/.exec(line)?.[1], level)) return false
  if (plugin === undefined) return true
  return line.includes(JSON.stringify(plugin).slice(1, -1)) && isOf((JSON.parse(line) as { plugin?: string }).plugin, plugin)
}

/** The entry a line is. */
export function entryOf(seq: number, line: string, clean: (value: unknown) => unknown): LogEntry {
  // The line is one of ours, written with exactly these fields.
  const { seq: _, ...parsed } = JSON.parse(line) as { seq?: number }
  const { level: shown, time, message, plugin: by, ...facts } = clean(parsed) as { level: Level; time: string; message: string; plugin?: string }
  return { seq, at: Date.parse(time), level: shown, message, ...(by === undefined ? {} : { plugin: by }), facts }
}

function isAtLeast(found: string | undefined, least: Level): boolean {
  return LEVELS.indexOf(found as Level) >= LEVELS.indexOf(least)
}

/** A plugin's lines carry its version too: `chat 1.0.0`. */
function isOf(label: string | undefined, id: string): boolean {
  return label === id || label?.startsWith(`${id} `) === true
}
