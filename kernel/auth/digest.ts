/**
 * The SHA-256 of a secret, and the one comparison the gateway makes between secrets. A secret is turned into its digest
 * where it arrives and where it is configured, so that nothing keeps it and both sides of a comparison are 32 bytes long.
 * It does not know what the secret opens.
 */
import { hash, timingSafeEqual } from 'node:crypto'

/** The SHA-256 of the UTF-8 bytes of `secret`, in 64 hexadecimal digits. */
export function digestOf(secret: string): string {
  return hash('sha256', secret, 'hex')
}

/** Whether two digests are the same, in a time that does not depend on where they differ. */
export function sameDigest(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one, 'latin1'), Buffer.from(other, 'latin1')]
  return left.length === right.length && timingSafeEqual(left, right)
}
