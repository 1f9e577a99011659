/** Keeps what is said before the log is open, because how to open it is what is just being read. */
import type { Log } from '../log.ts'

type Line = readonly ['info' | 'warn' | 'error', string, object | undefined]

export class EarlyLog {
  readonly #lines: Line[] = []
  readonly #secrets: string[] = []

  info(message: string, facts?: object): void {
    this.#lines.push(['info', message, facts])
  }

  warn(message: string, facts?: object): void {
    this.#lines.push(['warn', message, facts])
  }

  error(message: string, facts?: object): void {
    this.#lines.push(['error', message, facts])
  }

  hide(secret: string): void {
    this.#secrets.push(secret)
    this.#heir?.hide(secret)
  }

  #heir: Log | undefined

  /** Says it all to the real log, and from now on passes everything on. */
  passOn(log: Log): void {
    this.#heir = log
    for (const secret of this.#secrets) log.hide(secret)
    for (const [level, message, facts] of this.#lines.splice(0)) log[level](message, facts)
    this.info = (message, facts) => log.info(message, facts)
    this.warn = (message, facts) => log.warn(message, facts)
    this.error = (message, facts) => log.error(message, facts)
  }

  /** There will be no log: whoever starts the gateway hears the warnings at least. */
  print(write: (text: string) => void): void {
    for (const [level, message] of this.#lines) if (level === 'warn') write(message)
  }
}
