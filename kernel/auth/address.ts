/**
 * What the text of an IP address says: whether it is this machine talking to itself, and which network it belongs to when
 * something is counted per client. It looks nothing up and trusts no header; a name is never an address.
 */
import { isIPv4, isIPv6 } from 'node:net'

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

/** 127.0.0.0/8, ::1, and the former inside the latter's notation. False for anything that is no IP address. */
export function isLoopback(address: string): boolean {
  const plain = shortest(address)
  if (plain === undefined) return false
  return plain === '::1' || (plain.startsWith('127.') && isIPv4(plain))
}

/** The address that stands for all addresses of the machine. */
export function isWildcard(address: string): boolean {
  const plain = shortest(address)
  return plain === '0.0.0.0' || plain === '::'
}

/**
 * One spelling for each address: IPv4 as it is, IPv4 inside IPv6 as IPv4, IPv6 in lower case and shortest form. A zone
 * (`%eth0`) is dropped. Undefined where the text is no IP address.
 */
export function shortest(address: string): string | undefined {
  if (isIPv4(address)) return address
  const [bare = ''] = address.split('%', 1)
  if (!isIPv6(bare)) return undefined
  const mapped = MAPPED.exec(bare)?.[1]
  if (mapped !== undefined) return mapped
  const compressed = new URL(`http://[${bare}]`).hostname.slice(1, -1)
  const high = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(compressed)
  return high === null ? compressed : dotted(high[1] ?? '', high[2] ?? '')
}

/**
 * Whom to hold responsible for what comes from `address`: an IPv4 address stands for itself, an IPv6 one for its /64, since
 * whoever has one address of a /64 has all 2^64 of them. Text that is no address stands for itself.
 */
export function clientOf(address: string): string {
  const plain = shortest(address)
  if (plain === undefined || isIPv4(plain)) return plain ?? address
  const [left = '', right] = plain.split('::')
  const front = left === '' ? [] : left.split(':')
  const behind = right === undefined || right === '' ? [] : right.split(':')
  const zeros = right === undefined ? 0 : 8 - front.length - behind.length
  return `${[...front, ...Array<string>(zeros).fill('0'), ...behind].slice(0, 4).join(':')}::/64`
}

function dotted(high: string, low: string): string {
  const [left, right] = [Number.parseInt(high, 16), Number.parseInt(low, 16)]
  return `${left >> 8}.${left & 255}.${right >> 8}.${right & 255}`
}
