/**
 * How messages are laid on a pipe: a length, a kind, and that many bytes, which are JSON text or a piece of a stream of
 * bytes. A pipe cuts anywhere, so the reader takes what comes and hands out what is whole. It knows no message and parses no
 * JSON; it refuses a length beyond its bound before it keeps a byte of it, since the other side is not trusted.
 */
import { Buffer } from 'node:buffer'

/** Length, not counting itself, as an unsigned 32-bit big-endian number; then one byte for the kind. */
const HEADER_BYTES = 5
const JSON_KIND = 0
const BYTES_KIND = 1
/** A frame of bytes begins with the number of its stream. */
const STREAM_BYTES = 4

/** The largest frame: what the largest frame of a socket (25 MiB) needs with its envelope, and the next power of two. */
export const MAX_FRAME_BYTES = 32 * 1024 * 1024

export type Frame =
  | { readonly kind: 'json'; readonly text: string }
  | { readonly kind: 'bytes'; readonly stream: number; readonly bytes: Uint8Array }

/** What was read is no frame. The two sides no longer agree where one begins, so nothing after it can be trusted. */
export class GarbledFrame extends Error {
  override readonly name = 'GarbledFrame'
}

/** A frame larger than the other side would take. Nothing of it has been written. */
export class OversizedFrame extends Error {
  override readonly name = 'OversizedFrame'
}

/**
 * One message as a frame.
 * @throws OversizedFrame
 */
export function jsonFrame(text: string, maxBytes = MAX_FRAME_BYTES): Uint8Array {
  const length = Buffer.byteLength(text)
  const frame = begin(JSON_KIND, length, maxBytes)
  frame.write(text, HEADER_BYTES, 'utf8')
  return frame
}

/**
 * A piece of a stream of bytes as a frame.
 * @throws OversizedFrame
 */
export function bytesFrame(stream: number, bytes: Uint8Array, maxBytes = MAX_FRAME_BYTES): Uint8Array {
  const frame = begin(BYTES_KIND, STREAM_BYTES + bytes.byteLength, maxBytes)
  frame.writeUInt32BE(stream, HEADER_BYTES)
  frame.set(bytes, HEADER_BYTES + STREAM_BYTES)
  return frame
}

function begin(kind: number, bodyBytes: number, maxBytes: number): Buffer {
  const length = 1 + bodyBytes
  if (length > maxBytes) throw new OversizedFrame(`A message of ${bodyBytes} bytes is more than the ${maxBytes} that cross the wall at once`)
  const frame = Buffer.allocUnsafe(4 + length)
  frame.writeUInt32BE(length, 0)
  frame.writeUInt8(kind, 4)
  return frame
}

/** Puts frames together again, however they were cut. After it has thrown it is of no further use. */
export class FrameReader {
  readonly #maxBytes: number
  readonly #text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  #chunks: Uint8Array[] = []
  #held = 0
  /** Bytes from the length to the end of the frame that is coming in; 0 until its length is known. */
  #wanted = 0

  constructor(maxBytes = MAX_FRAME_BYTES) {
    this.#maxBytes = maxBytes
  }

  /**
   * Takes the next piece of the pipe and yields every frame that it completes.
   * @throws GarbledFrame
   */
  *read(chunk: Uint8Array): Generator<Frame> {
    if (chunk.byteLength > 0) this.#chunks.push(chunk)
    this.#held += chunk.byteLength
    for (;;) {
      if (this.#wanted === 0) {
        if (this.#held < 4) return
        this.#wanted = 4 + this.#length()
      }
      if (this.#held < this.#wanted) return
      yield this.#frame(this.#take(this.#wanted))
    }
  }

  /** Whether a frame has begun that is not whole. */
  get isInside(): boolean {
    return this.#held > 0
  }

  #length(): number {
    const length = this.#whole().readUInt32BE(0)
    if (length < 1 || length > this.#maxBytes) throw new GarbledFrame(`A frame announced ${length} bytes`)
    return length
  }

  #frame(frame: Buffer): Frame {
    const kind = frame.readUInt8(4)
    if (kind === JSON_KIND) return { kind: 'json', text: this.#decoded(frame.subarray(HEADER_BYTES)) }
    if (kind !== BYTES_KIND) throw new GarbledFrame(`A frame is of the unknown kind ${kind}`)
    if (frame.byteLength < HEADER_BYTES + STREAM_BYTES) throw new GarbledFrame('A frame of bytes names no stream')
    // A copy: the chunk it lies in may be far larger, and would be kept alive by it.
    return { kind: 'bytes', stream: frame.readUInt32BE(HEADER_BYTES), bytes: Uint8Array.from(frame.subarray(HEADER_BYTES + STREAM_BYTES)) }
  }

  #decoded(bytes: Uint8Array): string {
    try {
      return this.#text.decode(bytes)
    } catch {
      throw new GarbledFrame('A frame of JSON is no UTF-8')
    }
  }

  #take(count: number): Buffer {
    const all = this.#whole()
    this.#held -= count
    this.#wanted = 0
    this.#chunks = this.#held === 0 ? [] : [all.subarray(count)]
    return all.subarray(0, count)
  }

  /** Joins what is held, once per frame and not once per chunk: a large frame comes in hundreds of pieces. */
  #whole(): Buffer {
    const joined = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.#held)
    this.#chunks = [joined]
    return Buffer.from(joined.buffer, joined.byteOffset, joined.byteLength)
  }
}
