/**
 * `<home>/secrets/tokens.json`: the tokens that were made here, each with the SHA-256 of its text and never the text itself.
 * What it cannot understand in full it refuses: a restriction that is overlooked would be a permission. It does not know
 * which tokens work.
 */
import { join } from 'node:path'
import { SCOPES, type Scope } from '@isopod/plugin-api'
import { LockedFile, type FileContent } from './locked-file.ts'

/** A token as it is kept. Times are in milliseconds since 1970. */
export interface StoredToken {
  readonly id: string
  readonly name: string
  /** The SHA-256 of the token's text, in hexadecimal. */
  readonly hash: string
  readonly scopes: readonly Scope[]
  readonly createdAt: number
  /** To the minute, and at most a minute behind. */
  readonly lastUsedAt?: number
  readonly expiresAt?: number
  /** Made by the gateway itself at its first start. */
  readonly first?: true
}

/** What the file held; the stamp is undefined where there is no file. */
export interface StoredTokens {
  readonly tokens: readonly StoredToken[]
  readonly stamp: string | undefined
}

const FORMAT = 1

export class TokenFile {
  readonly #file: LockedFile

  constructor(home: string) {
    this.#file = new LockedFile(join(home, 'secrets', 'tokens.json'))
  }

  /** Throws an Error that names the file where it cannot be read or is damaged. An absent file holds no tokens. */
  read(): StoredTokens {
    return this.#understood(this.#file.read())
  }

  /** The stamp of the file as it is now, without reading it. */
  stamp(): string | undefined {
    return this.#file.stamp()
  }

  /**
   * Replaces the tokens by what `change` makes of those in the file; the same array means no change. Rejects as
   * `LockedFile.edit` does, and where the file is damaged: that one is never written over.
   */
  async edit(change: (tokens: readonly StoredToken[]) => readonly StoredToken[]): Promise<StoredTokens> {
    const content = await this.#file.edit((before) => {
      const { tokens } = this.#understood(before)
      const changed = change(tokens)
      return changed === tokens ? undefined : `${JSON.stringify({ format: FORMAT, tokens: changed }, null, 2)}\n`
    })
    return this.#understood(content)
  }

  #understood(content: FileContent | undefined): StoredTokens {
    if (content === undefined) return { tokens: [], stamp: undefined }
    const tokens = tokensIn(content.text)
    if (tokens !== undefined) return { tokens, stamp: content.stamp }
    // The parser's own words would quote the file.
    throw new Error(
      `${this.#file.path} is damaged, or was written by a newer version. ` +
        'Restore it from a copy, or remove it and make new tokens: those in it then stop working',
    )
  }
}

/** The tokens of the file's text, or undefined where any part of it is not understood. */
function tokensIn(text: string): readonly StoredToken[] | undefined {
  const file = json(text)
  if (!isRecord(file) || file['format'] !== FORMAT || !Array.isArray(file['tokens'])) return undefined
  const tokens: readonly unknown[] = file['tokens']
  if (!tokens.every(isStoredToken)) return undefined
  const distinct = new Set(tokens.flatMap(({ id, hash }) => [id, hash]))
  return distinct.size === tokens.length * 2 ? tokens : undefined
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const FIELDS: Readonly<Record<keyof StoredToken, (value: unknown) => boolean>> = {
  id: (value) => typeof value === 'string' && /^[\w-]{1,63}$/.test(value),
  name: (value) => typeof value === 'string' && value !== '',
  hash: (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value),
  scopes: (value) => Array.isArray(value) && value.every((scope: unknown) => SCOPES.some((known) => known === scope)),
  createdAt: isTime,
  lastUsedAt: (value) => value === undefined || isTime(value),
  expiresAt: (value) => value === undefined || isTime(value),
  first: (value) => value === undefined || value === true,
}

function isStoredToken(value: unknown): value is StoredToken {
  if (!isRecord(value)) return false
  const known = Object.keys(value).every((key) => Object.hasOwn(FIELDS, key))
  return known && Object.entries(FIELDS).every(([key, fits]) => fits(value[key]))
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
