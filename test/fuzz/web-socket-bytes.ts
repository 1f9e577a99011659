/**
 * WebSocket frames as bytes (RFC 6455, section 5), both ways: a client's, as right or as wrong as they are wanted, and a
 * server's, read strictly. A client library would neither send the one nor notice the other.
 */

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

export interface ClientFrame {
  readonly fin: boolean
  /** The three reserved bits, 0 to 7. */
  readonly reserved: number
  /** 0 to 15. */
  readonly opcode: number
  /** Four bytes; a client that sends none breaks the protocol. */
  readonly mask: Uint8Array | undefined
  readonly payload: Uint8Array
  /** The length it claims, where that is not the payload's. */
  readonly claims?: number | undefined
}

export function encodeFrame({ fin, reserved, opcode, mask, payload, claims }: ClientFrame): Buffer {
  const head = Buffer.from([(fin ? 0x80 : 0) | (reserved << 4) | opcode])
  const masked = mask === undefined ? payload : payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0))
  return Buffer.concat([head, encodeLength(claims ?? payload.length, mask !== undefined), mask ?? Buffer.alloc(0), masked])
}

function encodeLength(length: number, isMasked: boolean): Buffer {
  const bit = isMasked ? 0x80 : 0
  if (length < 126) return Buffer.from([bit | length])
  if (length < 65_536) return Buffer.from([bit | 126, length >> 8, length & 0xff])
  const long = Buffer.alloc(9)
  long[0] = bit | 127
  long.writeBigUInt64BE(BigInt(length), 1)
  return long
}

/** A text as one frame or, cut where `cuts` say, as several. */
export function encodeText(text: string, cuts: readonly number[], mask: Uint8Array): Buffer {
  const bytes = Buffer.from(text)
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((left, right) => left - right)
  const pieces = [...ends, bytes.length].map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
  const frames = pieces.map((payload, index) => encodeFrame({
    fin: index === pieces.length - 1, reserved: 0, opcode: index === 0 ? OPCODE.text : OPCODE.continuation, mask, payload,
  }))
  return Buffer.concat(frames)
}

/** What the gateway has sent on a socket so far. */
export interface Said {
  /** Its texts as JSON, in order. */
  readonly frames: readonly unknown[]
  readonly pongs: readonly string[]
  /** The code it closed with; 1005 where it named none. */
  readonly closeCode: number | undefined
}

/** Reads a server's bytes after the head of the upgrade. @throws Error where they are not what RFC 6455 lets a server send. */
export function readServerBytes(bytes: Buffer): Said {
  const frames: unknown[] = []
  const pongs: string[] = []
  let closeCode: number | undefined
  for (let at = 0; ;) {
    const found = serverFrame(bytes, at)
    if (!found) return { frames, pongs, closeCode }
    const { opcode, payload, end } = found
    if (closeCode !== undefined) throw new Error('the gateway said something after it had closed the socket')
    if (opcode === OPCODE.text) frames.push(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload)))
    else if (opcode === OPCODE.pong) pongs.push(payload.toString('latin1'))
    else if (opcode === OPCODE.close) closeCode = payload.length >= 2 ? payload.readUInt16BE(0) : 1005
    else if (opcode !== OPCODE.ping) throw new Error(`the gateway sent a frame of opcode ${opcode}`)
    at = end
  }
}

/** The whole frame at a place, or nothing where more of it is to come. */
function serverFrame(bytes: Buffer, at: number): { opcode: number; payload: Buffer; end: number } | undefined {
  if (bytes.length < at + 2) return undefined
  const [first = 0, second = 0] = bytes.subarray(at)
  if ((first & 0xf0) !== 0x80 || second >= 0x80) throw new Error(`the gateway sent a frame that begins with ${first.toString(16)} ${second.toString(16)}`)
  const extra = second === 127 ? 8 : second === 126 ? 2 : 0
  if (bytes.length < at + 2 + extra) return undefined
  const length = extra === 8 ? Number(bytes.readBigUInt64BE(at + 2)) : extra === 2 ? bytes.readUInt16BE(at + 2) : second
  const end = at + 2 + extra + length
  return bytes.length < end ? undefined : { opcode: first & 0xf, payload: bytes.subarray(end - length, end), end }
}
