/**
 * Lets a child's lines through to the log, but no flood of them: so many per heartbeat, and then one line that says how many
 * were left out. What the process itself writes to its standard error comes through the same gate.
 */

/** Lines between two heartbeats. */
const LINES_PER_BEAT = 256
/** The longest line, in characters. */
const LINE = 8_192

type Write = (level: 'info' | 'warn' | 'error', text: string) => void

export class LogGate {
  readonly #write: Write
  #lines = 0
  #leftOut = 0
  #errorTail = ''

  constructor(write: Write) {
    this.#write = write
  }

  line(level: 'info' | 'warn' | 'error', text: string): void {
    if (this.admits()) this.#write(level, text.slice(0, LINE))
  }

  /** Counts a line that somebody else will write. False where it is one too many. */
  admits(): boolean {
    this.#lines++
    if (this.#lines <= LINES_PER_BEAT) return true
    this.#leftOut++
    return false
  }

  /** A piece of the child's standard error, which is Node's own: a plugin has no way to write there. */
  standardError(chunk: Uint8Array): void {
    const text = new TextDecoder().decode(chunk)
    this.#errorTail = (this.#errorTail + text).slice(-LINE)
    this.line('warn', text.trimEnd())
  }

  /** The end of what the process wrote to its standard error. */
  get errorTail(): string {
    return this.#errorTail
  }

  beat(): void {
    if (this.#leftOut > 0) this.#write('warn', `${this.#leftOut} lines were left out: there were more than ${LINES_PER_BEAT} at once`)
    this.#lines = 0
    this.#leftOut = 0
  }
}
