/**
 * WebSocket frames as a client writes and reads them (RFC 6455, 5.2), without a library between: a library's client would take
 * more of the processor than the servers that are measured. Only whole text frames of a known request are written; what
 * comes is walked by its headers and not parsed.
 */
import { randomBytes } from 'node:crypto'

const FIN_TEXT = 0x81
const MASKED = 0x80
const MASK_BYTES = 4
const TEXT = 1

/** One text frame, masked as a client has to. */
export function textFrame(text: string): Buffer {
  const payload = Buffer.from(text)
  if (payload.length > 125) throw new Error('The bench sends short frames only')
  const mask = randomBytes(MASK_BYTES)
  return Buffer.concat([Buffer.from([FIN_TEXT, MASKED | payload.length]), mask, payload.map((byte, at) => byte ^ (mask[at % MASK_BYTES] ?? 0))])
}

/** Takes the bytes of one socket as they come and tells of each whole text frame where its payload is. */
export class FrameReader {
  readonly #told: (bytes: Buffer, from: number, to: number) => void
  #rest: Buffer | undefined

  constructor(told: (bytes: Buffer, from: number, to: number) => void) {
    this.#told = told
  }

  take(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    for (;;) {
      const from = at + headerLength(bytes, at)
      const to = from + payloadLength(bytes, at)
      if (!(to <= bytes.length)) break
      if (((bytes[at] ?? 0) & 0x0f) === TEXT) this.#told(bytes, from, to)
      at = to
    }
    this.#rest = at < bytes.length ? bytes.subarray(at) : undefined
  }
}

/** NaN where too little has come to tell. A server does not mask. */
function payloadLength(bytes: Buffer, at: number): number {
  const short = bytes[at + 1] ?? NaN
  if (short === 126) return bytes.length < at + 4 ? NaN : bytes.readUInt16BE(at + 2)
  if (short === 127) return bytes.length < at + 10 ? NaN : Number(bytes.readBigUInt64BE(at + 2))
  return short
}

function headerLength(bytes: Buffer, at: number): number {
  const short = bytes[at + 1]
  return short === 126 ? 4 : short === 127 ? 10 : 2
}
