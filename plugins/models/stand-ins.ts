/**
 * The names nobody serves and for which the default model stands in. Each is warned of once, so that a client that asks for
 * `gpt-4` a thousand times a day leaves one line in the log. Forgetting them costs no more than a second line.
 */
import type { Log } from '@isopod/plugin-api'

/** Names come from callers: neither their number nor their length may grow without bound. */
const NAMES_KEPT = 1000
const LENGTH_LOGGED = 100

export class StandIns {
  readonly #warned = new Set<string>()

  /** Warns that `standIn` answers for `name`, unless it has before. */
  note(name: string, standIn: string, log: Log): void {
    const shown = name.slice(0, LENGTH_LOGGED)
    if (this.#warned.has(shown)) return
    if (this.#warned.size >= NAMES_KEPT) this.#warned.clear()
    this.#warned.add(shown)
    log.warn(`No configured provider serves the model ${JSON.stringify(shown)}: ${standIn} answers in its place`)
  }
}
