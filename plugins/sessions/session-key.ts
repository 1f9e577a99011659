/**
 * The name a conversation goes by: what is accepted as one, and the document it is kept under. Clients choose these names
 * freely, so nothing else may depend on what is in them: a conversation's messages are kept under an id of its own.
 */
import { RpcError } from '@isopod/plugin-api'

/** 1 to 256 printable characters (WIRE section 3): no control, formatting, surrogate or private ones, no line separators. */
const PRINTABLE = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]{1,256}$/u

/** The longest name of a document in the store is 512 UTF-16 units; two are for the mark in front of the key. */
const LONGEST_PLAIN = 510

/** Throws `invalid_request` where the text is no session key. */
export function checkSessionKey(sessionKey: string): void {
  if (!PRINTABLE.test(sessionKey)) throw new RpcError('invalid_request', 'Invalid session key', { param: 'sessionKey' })
}

/**
 * The key of a session's document: the session key with a mark, or its digest where that would be too long for the store
 * (256 characters beyond the basic plane are 512 units).
 */
export async function documentKey(sessionKey: string): Promise<string> {
  if (sessionKey.length <= LONGEST_PLAIN) return `=${sessionKey}`
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(sessionKey))
  return `#${[...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
}
