/**
 * A token in the making: what may be asked for, the random text, and what of it is kept. The text exists only in the answer
 * to whoever asked; it does not know where tokens are stored or which exist.
 */
import { randomBytes } from 'node:crypto'
import { SCOPES, RpcError, type Scope } from '@isopod/plugin-api'
import type { Clock } from '../clock.ts'
import { digestOf } from './digest.ts'
import type { StoredToken } from './token-file.ts'

/** What every token made here begins with, so that people and secret scanners know one when they see it. */
export const TOKEN_PREFIX = 'isopod_'
/** The name of the token made at first start. */
export const FIRST_TOKEN = 'first-start'
/** 256 bits: not to be guessed by anyone, ever, so its digest needs no slow hash and no salt. */
const TOKEN_BYTES = 32

/** A token as it may be shown to anyone with the scope to ask. */
export type TokenListing = Omit<StoredToken, 'hash'>

export interface TokenWish {
  /** 1 to 64 printable characters, unlike every other token's. */
  readonly name: string
  /** At least one. */
  readonly scopes: readonly Scope[]
  /** Milliseconds since 1970; never unless given. */
  readonly expiresAt?: number
}

/** A new token with the text to show once. */
export function makeToken(wish: TokenWish, clock: Clock): { readonly token: string; readonly stored: StoredToken } {
  const { name, scopes, expiresAt } = wish
  const token = TOKEN_PREFIX + randomBytes(TOKEN_BYTES).toString('base64url')
  const stored = { id: clock.id(), name, hash: digestOf(token), scopes: [...scopes], createdAt: clock.now() }
  return { token, stored: expiresAt === undefined ? stored : { ...stored, expiresAt } }
}

/** What may be shown of a token: all but its hash. */
export function listingOf(token: StoredToken): TokenListing {
  const listing: TokenListing & { hash?: string } = { ...token }
  delete listing.hash
  return listing
}

/** Throws `invalid_request` or `forbidden`, as `TokenBook.create` does. */
export function checkWish({ name, scopes, expiresAt }: TokenWish, within: readonly Scope[], now: number): void {
  if (!/^[^\p{C}]{1,64}$/u.test(name) || name.trim() !== name) {
    throw new RpcError('invalid_request', 'A token needs a name of 1 to 64 printable characters', { param: 'name' })
  }
  const unknown = scopes.find((scope) => !SCOPES.includes(scope))
  if (unknown !== undefined) {
    throw new RpcError('invalid_request', `'${unknown}' is no scope; choose of ${SCOPES.join(', ')}`, { param: 'scopes' })
  }
  if (scopes.length === 0) {
    throw new RpcError('invalid_request', `A token needs at least one scope of ${SCOPES.join(', ')}`, { param: 'scopes' })
  }
  const beyond = scopes.find((scope) => !within.includes(scope))
  if (beyond !== undefined) {
    throw new RpcError('forbidden', `The scope '${beyond}' can only be given by who has it`, { param: 'scopes' })
  }
  if (expiresAt !== undefined && !(Number.isFinite(expiresAt) && expiresAt > now)) {
    throw new RpcError('invalid_request', 'A token must expire in the future', { param: 'expiresAt' })
  }
}
