/**
 * The token book: named tokens with scopes, made here, revocable, each shown once and kept as its SHA-256. It follows the
 * file while it is open, so that what the command line creates or revokes takes effect in a running gateway within about a
 * second. It knows nothing of passwords, of tokens in the config, or of who is asking.
 */
import { SCOPES, RpcError, type Scope } from '@isopod/plugin-api'
import type { Clock } from '../clock.ts'
import { checkWish, FIRST_TOKEN, listingOf, makeToken, type TokenListing, type TokenWish } from './new-token.ts'
import { TokenFile, type StoredToken, type StoredTokens } from './token-file.ts'

/** Each client gets one of its own, and a person has dozens; thousands are a program gone wrong. */
export const TOKENS_KEPT = 1_000

/** A revocation on disk is noticed after at most this long. */
const LOOK_MS = 1_000
/** An unknown token makes us look at once, but not more often than this: strangers must not decide how often we touch the disk. */
const LOOK_AT_MISS_MS = 250
/** `lastUsedAt` is this coarse, and written this often. */
const USE_MS = 60_000

export interface TokenBookOptions {
  /** The gateway's home directory. */
  readonly home: string
  readonly clock: Clock
  /** Told, in a sentence, what went wrong where no caller waits for an answer. */
  readonly warn: (message: string) => void
}

export class TokenBook {
  readonly #file: TokenFile
  readonly #clock: Clock
  readonly #warn: (message: string) => void
  readonly #undo: (() => void)[] = []
  /** When tokens were used, to the minute, as far as the file does not say so yet. */
  readonly #uses = new Map<string, number>()
  readonly #listeners = new Set<(ids: readonly string[]) => void>()
  #byHash: ReadonlyMap<string, StoredToken> = new Map()
  #byId: ReadonlyMap<string, StoredToken> = new Map()
  #stamp: string | undefined
  /** The ids of the tokens that worked when we last asked. */
  #working: ReadonlySet<string> = new Set()
  /** When an unknown token made us look, in the clock's elapsed milliseconds. */
  #missed = -Infinity
  #problem: string | undefined
  #lastEdit: Promise<unknown> = Promise.resolve()

  /** Throws an Error that names the file where it is damaged or cannot be read. */
  constructor({ home, clock, warn }: TokenBookOptions) {
    this.#file = new TokenFile(home)
    this.#clock = clock
    this.#warn = warn
    this.#adopt(this.#file.read())
  }

  /** Whether there is no token that still works. */
  get empty(): boolean {
    return ![...this.#byId.values()].some((token) => this.#works(token))
  }

  /** Every token, expired ones included, in the order they were made. */
  list(): readonly TokenListing[] {
    return [...this.#byId.values()].map((token) => this.#listing(token))
  }

  /**
   * Makes a token. Its text is in the answer and nowhere else. `within` are the scopes of whoever asks: nobody can give what
   * they do not have. Rejects with `invalid_request`, `forbidden`, or `conflict` where the name is taken.
   */
  async create(wish: TokenWish, within: readonly Scope[]): Promise<{ readonly token: string; readonly listing: TokenListing }> {
    checkWish(wish, within, this.#clock.now())
    const { token, stored } = makeToken(wish, this.#clock)
    await this.#edit((tokens) => {
      if (tokens.some(({ name }) => name === wish.name)) {
        const message = `There is a token named '${wish.name}' already: revoke it or choose another name`
        throw new RpcError('conflict', message, { param: 'name' })
      }
      if (tokens.length >= TOKENS_KEPT) throw new RpcError('conflict', `There are ${TOKENS_KEPT} tokens already: revoke some`)
      return [...tokens, stored]
    })
    return { token, listing: this.#listing(stored) }
  }

  /**
   * The first token, with every scope, where there is none that works; undefined where there is one. To be called at start
   * where the config names neither a token nor a password, and its answer shown to the owner once.
   */
  async createFirst(): Promise<string | undefined> {
    if (!this.empty) return undefined
    const { token, stored } = makeToken({ name: FIRST_TOKEN, scopes: SCOPES }, this.#clock)
    let made = false
    await this.#edit((tokens) => {
      made = !tokens.some((known) => this.#works(known))
      return made ? [...tokens.filter(({ name }) => name !== stored.name), { ...stored, first: true }] : tokens
    })
    return made ? token : undefined
  }

  /** Removes a token, by its id or its name. Rejects with `not_found`. */
  async revoke(idOrName: string): Promise<TokenListing> {
    let revoked: StoredToken | undefined
    await this.#edit((tokens) => {
      revoked = tokens.find(({ id }) => id === idOrName) ?? tokens.find(({ name }) => name === idOrName)
      return revoked === undefined ? tokens : tokens.filter((token) => token !== revoked)
    })
    if (revoked === undefined) throw new RpcError('not_found', 'There is no token with that id or name')
    return this.#listing(revoked)
  }

  /**
   * The token whose digest this is, if it works now. A map is safe here although its time depends on the key: what could
   * leak is the beginning of a stored SHA-256, and to learn the token from that one would have to invert SHA-256 on 256
   * random bits. It is not safe for what people think up, whose digests can be tried offline.
   */
  find(digest: string): Pick<StoredToken, 'id' | 'scopes' | 'first'> | undefined {
    if (!this.#byHash.has(digest)) this.#lookForUnknown()
    const token = this.#byHash.get(digest)
    return token !== undefined && this.#works(token) ? token : undefined
  }

  /** Whether the token with this id still works: what a socket asks that was opened with it. */
  holds(id: string): boolean {
    const token = this.#byId.get(id)
    return token !== undefined && this.#works(token)
  }

  /** Remembers that a token was used just now. */
  used(id: string): void {
    const minute = Math.floor(this.#clock.now() / USE_MS) * USE_MS
    if (this.#uses.get(id) === minute || this.#byId.get(id)?.lastUsedAt === minute) return
    this.#uses.set(id, minute)
  }

  /** Follows the file and writes down uses until `close`. For a process that stays. */
  watch(): void {
    this.#undo.push(
      this.#clock.every(LOOK_MS, () => this.#look()),
      this.#clock.every(USE_MS, () => void this.#writeUses()),
    )
  }

  /** Calls back with the ids of tokens that were revoked or expired, so that their sockets can be closed. Answers its own undo. */
  onGone(listener: (ids: readonly string[]) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Writes down what is not yet written, and stops following the file. Never rejects. */
  async close(): Promise<void> {
    for (const undo of this.#undo.splice(0)) undo()
    await this.#writeUses()
  }

  #listing(token: StoredToken): TokenListing {
    const lastUsedAt = this.#uses.get(token.id)
    return listingOf(lastUsedAt === undefined ? token : { ...token, lastUsedAt })
  }

  #works({ expiresAt }: StoredToken): boolean {
    return expiresAt === undefined || this.#clock.now() < expiresAt
  }

  /** Changes of one process wait for each other here; the lock on the file is for other processes. */
  #edit(change: (tokens: readonly StoredToken[]) => readonly StoredToken[]): Promise<void> {
    const edit = this.#lastEdit.then(async () => this.#adopt(await this.#file.edit(change)))
    this.#lastEdit = edit.catch(() => {})
    return edit
  }

  /** Only misses hold misses back: right after a regular look the file may have changed again. */
  #lookForUnknown(): void {
    const now = this.#clock.elapsed()
    if (now - this.#missed < LOOK_AT_MISS_MS) return
    this.#missed = now
    this.#look()
  }

  /** Reads the file again if it is not what it was. A file that went bad changes nothing: what was last understood stays in force. */
  #look(): void {
    try {
      const stamp = this.#file.stamp()
      if (stamp === this.#stamp) return this.#tellGone()
      this.#stamp = stamp
      this.#adopt(this.#file.read())
      this.#problem = undefined
    } catch (error) {
      this.#report(`${reason(error)}. The tokens known before stay in force`)
    }
  }

  /** Once for each problem, not once for each look. */
  #report(problem: string): void {
    if (problem !== this.#problem) this.#warn(problem)
    this.#problem = problem
  }

  #adopt({ tokens, stamp }: StoredTokens): void {
    this.#stamp = stamp
    this.#byHash = new Map(tokens.map((token) => [token.hash, token]))
    this.#byId = new Map(tokens.map((token) => [token.id, token]))
    this.#tellGone()
  }

  #tellGone(): void {
    const before = this.#working
    this.#working = new Set([...this.#byId.keys()].filter((id) => this.holds(id)))
    const gone = [...before].filter((id) => !this.#working.has(id))
    if (gone.length > 0) for (const listener of this.#listeners) listener(gone)
  }

  async #writeUses(): Promise<void> {
    const uses = new Map(this.#uses)
    if (uses.size === 0) return
    try {
      await this.#edit((tokens) => (tokens.some(({ id }) => uses.has(id)) ? tokens.map((token) => withUse(token, uses)) : tokens))
      for (const [id, at] of uses) if (this.#uses.get(id) === at) this.#uses.delete(id)
    } catch (error) {
      this.#warn(`When tokens were last used could not be written down: ${reason(error)}`)
    }
  }
}

function withUse(token: StoredToken, uses: ReadonlyMap<string, number>): StoredToken {
  const lastUsedAt = uses.get(token.id)
  return lastUsedAt === undefined ? token : { ...token, lastUsedAt }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
