/**
 * A peer's address in its one shortest text form, so that the same client is always counted under the same name. An IPv4
 * address inside IPv6 is given as IPv4. Knows text and bytes, no sockets.
 */

/** From the 4 or 16 bytes that uWebSockets gives. Anything else is an empty text. */
export function addressText(bytes: ArrayBuffer): string {
  const octets = new Uint8Array(bytes)
  if (octets.length === 4) return `${octets[0]}.${octets[1]}.${octets[2]}.${octets[3]}`
  if (octets.length !== 16) return ''
  if (isMapped(octets)) return octets.subarray(12).join('.')
  return compress(groupsOf(octets))
}

/** From the text that Node gives, which has the short form but may be mapped or carry a zone. */
export function shortAddress(text: string | undefined): string {
  if (text === undefined) return ''
  const bare = text.split('%', 1)[0] ?? text
  return bare.startsWith('::ffff:') && bare.includes('.') ? bare.slice(7) : bare
}

/** `host:port`, with the brackets that IPv6 needs. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function isMapped(octets: Uint8Array): boolean {
  return octets.subarray(0, 10).every((octet) => octet === 0) && octets[10] === 0xff && octets[11] === 0xff
}

function groupsOf(octets: Uint8Array): string[] {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength)
  return Array.from({ length: 8 }, (_, index) => view.getUint16(index * 2).toString(16))
}

/** The longest run of two or more zero groups, the first where several are as long, becomes `::` (RFC 5952, 4.2). */
function compress(groups: readonly string[]): string {
  let best = { start: 0, length: 1 }
  for (let start = 0; start < groups.length; start++) {
    let length = 0
    while (groups[start + length] === '0') length++
    if (length > best.length) best = { start, length }
  }
  if (best.length === 1) return groups.join(':')
  return `${groups.slice(0, best.start).join(':')}::${groups.slice(best.start + best.length).join(':')}`
}
