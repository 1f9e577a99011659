/**
 * One side's end of the pipe: messages go out as frames, and what comes in is parsed, frozen and handed on one by one. It
 * knows how a message is carried and not what any of them means.
 */
import { RpcError, type Json } from '@isopod/plugin-api'
import { bytesFrame, FrameReader, GarbledFrame, jsonFrame, OversizedFrame } from './frames.ts'
import { frozen } from './frozen.ts'

export interface ChannelParts<In> {
  /** Writes to the pipe. Keeps the order. */
  readonly write: (frame: Uint8Array) => void
  /** The message a parsed frame is, or undefined where it is none. */
  readonly read: (json: Json) => In | undefined
  readonly onMessage: (message: In) => void
  readonly onBytes: (stream: number, bytes: Uint8Array) => void
}

export class Channel<Out extends { readonly type: string }, In> {
  readonly #parts: ChannelParts<In>
  readonly #frames = new FrameReader()

  constructor(parts: ChannelParts<In>) {
    this.#parts = parts
  }

  /** @throws RpcError `payload_too_large` where the message is more than one frame holds. Nothing was written then. */
  send(message: Out): void {
    this.#write(() => jsonFrame(JSON.stringify(message)))
  }

  /** @throws RpcError `payload_too_large` */
  sendBytes(stream: number, bytes: Uint8Array): void {
    this.#write(() => bytesFrame(stream, bytes))
  }

  /**
   * Takes a piece of the pipe and hands on every message it completes.
   * @throws GarbledFrame where what came is no frame, no JSON, or no message. Nothing after it is to be believed.
   */
  receive(chunk: Uint8Array): void {
    for (const frame of this.#frames.read(chunk)) {
      if (frame.kind === 'bytes') this.#parts.onBytes(frame.stream, frame.bytes)
      else this.#parts.onMessage(this.#message(frame.text))
    }
  }

  #write(make: () => Uint8Array): void {
    let frame: Uint8Array
    try {
      frame = make()
    } catch (thrown) {
      if (!(thrown instanceof OversizedFrame)) throw thrown
      throw new RpcError('payload_too_large', thrown.message, { cause: thrown })
    }
    this.#parts.write(frame)
  }

  #message(text: string): In {
    let message: In | undefined
    try {
      message = this.#parts.read(frozen(JSON.parse(text) as Json))
    } catch (thrown) {
      throw new GarbledFrame('A frame holds no JSON that may cross', { cause: thrown })
    }
    if (message === undefined) throw new GarbledFrame('A frame holds JSON that is no message')
    return message
  }
}
