/** Keeps what is said before the log is open, because how to open it is what is just being read. */
import type { Log } from '../log.ts'

type Level = 'info' | 'warn' | 'error'

export class EarlyLog {
  readonly #lines: (readonly [Level, string, object | undefined])[] = []
  readonly #secrets: string[] = []
  #log: Log | undefined

  info(message: string, facts?: object): void {
    this.#say('info', message, facts)
  }

  warn(message: string, facts?: object): void {
    this.#say('warn', message, facts)
  }

  error(message: string, facts?: object): void {
    this.#say('error', message, facts)
  }

  hide(secret: string): void {
    if (this.#log) this.#log.hide(secret)
    else this.#secrets.push(secret)
  }

  /** Says it all to the real log, and from now on passes everything on. */
  passOn(log: Log): void {
    this.#log = log
    for (const secret of this.#secrets.splice(0)) log.hide(secret)
    for (const [level, message, facts] of this.#lines.splice(0)) log[level](message, facts)
  }

  /** There will be no log: whoever starts the gateway hears the warnings at least. */
  print(write: (text: string) => void): void {
    for (const [level, message] of this.#lines) if (level === 'warn') write(message)
  }

  #say(level: Level, message: string, facts: object | undefined): void {
    if (this.#log) this.#log[level](message, facts)
    else this.#lines.push([level, message, facts])
  }
}
