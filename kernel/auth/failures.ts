/**
 * Failed authentications, counted per client in a sliding window, so that a password cannot be guessed at the speed of the
 * network, and told to the owner. It decides nothing but whether a client is locked out now: what still passes during a
 * lock-out is the authenticator's business, and what was shown it never learns. It measures on a clock that only goes
 * forward, so setting the time neither opens nor closes it.
 */
import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import type { Limits } from '../limits.ts'
import { clientOf } from './address.ts'

/** How many clients are remembered; beyond it the one that failed longest ago is forgotten. About 3 MB at the default limit. */
export const CLIENTS_REMEMBERED = 10_000

/** Each client is told of this often at most, for the log must not grow at the speed of the network either. */
const TOLD_MS = 60_000
/** And of all of them together, no more sentences in that time. */
export const TOLD_AT_MOST = 100

const FROM_EVERYWHERE = 'Credentials that are not known come from very many addresses: no more is told of them for a minute'

export class Failures {
  readonly #clock: Clock
  readonly #limits: Pick<Limits, 'authFailures' | 'authWindowSeconds'>
  /** When each client failed, oldest first, never more than the highest limit there was. */
  readonly #failed = new LRUCache<string, number[]>({ max: CLIENTS_REMEMBERED })

  readonly #warn: (message: string) => void
  /** When each client's failures and its lock-out were last told. */
  readonly #told = { failure: remembered(), lockOut: remembered() }

  #toldSince = -Infinity
  #toldCount = 0

  /**
   * The limits are read anew each time, and a change of them forgets no failure. `authFailures` of 0 means that nobody is ever
   * locked out. `warn` is told, in a sentence and not more than once a minute of each client, who failed and who is locked
   * out; of very many clients, only that they are.
   */
  constructor(clock: Clock, limits: Pick<Limits, 'authFailures' | 'authWindowSeconds'>, warn: (message: string) => void = () => {}) {
    this.#warn = warn
    this.#clock = clock
    this.#limits = limits
  }

  /** How many clients are remembered now. */
  get size(): number {
    return this.#failed.size
  }

  /** Counts one failure of the client at `address`. What fails during a lock-out does not make it longer. */
  count(address: string): void {
    const client = clientOf(address)
    this.#tell('failure', client, `A credential that is not known was shown from ${address}`)
    if (this.#limits.authFailures === 0 || this.lockedFor(address) > 0) return
    const recent = this.#recent(client)
    recent.push(this.#clock.elapsed())
    this.#failed.set(client, recent)
    const seconds = this.lockedFor(address)
    if (seconds === 0) return
    this.#tell('lockOut', client, `${address} is locked out for ${seconds} s: it showed ${recent.length} credentials that are not known`)
  }

  /** How long the client at `address` stays locked out, in whole seconds; 0 where it is not. */
  lockedFor(address: string): number {
    const { authFailures, authWindowSeconds } = this.#limits
    if (authFailures === 0 || this.#failed.size === 0) return 0
    // Once this one has left the window there are fewer than the limit.
    const last = this.#recent(clientOf(address)).at(-authFailures)
    if (last === undefined) return 0
    return Math.max(1, Math.ceil((last + authWindowSeconds * 1000 - this.#clock.elapsed()) / 1000))
  }

  #tell(what: 'failure' | 'lockOut', client: string, message: string): void {
    const now = this.#clock.elapsed()
    const told = this.#told[what]
    if (now - (told.get(client) ?? -Infinity) < TOLD_MS) return
    told.set(client, now)
    if (now - this.#toldSince >= TOLD_MS) [this.#toldSince, this.#toldCount] = [now, 0]
    this.#toldCount += 1
    if (this.#toldCount < TOLD_AT_MOST) this.#warn(message)
    else if (this.#toldCount === TOLD_AT_MOST) this.#warn(FROM_EVERYWHERE)
  }

  /** The failures of `client` that are still in the window, as the array that is kept. */
  #recent(client: string): number[] {
    const failed = this.#failed.get(client) ?? []
    const since = this.#clock.elapsed() - this.#limits.authWindowSeconds * 1000
    const gone = failed.findIndex((at) => at > since)
    failed.splice(0, gone === -1 ? failed.length : gone)
    return failed
  }
}

/** When something of a client was last told, for as many clients as are remembered. */
function remembered(): LRUCache<string, number> {
  return new LRUCache({ max: CLIENTS_REMEMBERED })
}
