/**
 * What a socket is going to say, in order. Each item is spelled when its turn comes; while the reader is behind, items wait
 * and events that may be joined are. The reader's own limit is the transport's: beyond it the socket is closed.
 */
import type { GatewayEvent, Json, JsonObject, Outcome, Spoken } from '@isopod/plugin-api'
import { Backlog } from '../backlog.ts'
import type { EventSink } from '../events.ts'
import type { Socket } from '../transport/socket.ts'

/** Past this many bytes in the socket's own buffer, what comes next waits here, where it can still be joined. */
const HOLD_BYTES = 256 * 1024

type Reply = { readonly kind: 'outcome'; readonly id: Json; readonly method: string; readonly outcome: Outcome }

export interface OutboxParts {
  readonly socket: Socket
  /** Spells one item as frames, or a promise of them. */
  readonly spell: (spoken: Spoken) => readonly JsonObject[] | Promise<readonly JsonObject[]>
  /** The item could not be spelled. */
  readonly failed: (thrown: unknown) => void
}

export class Outbox implements EventSink {
  readonly #parts: OutboxParts
  readonly #backlog = new Backlog<Reply>()
  #spelling = false

  constructor(parts: OutboxParts) {
    this.#parts = parts
  }

  hear(event: GatewayEvent): void {
    this.#backlog.push({ kind: 'event', event })
    this.flush()
  }

  reply(id: Json, method: string, outcome: Outcome): void {
    this.#backlog.push({ kind: 'outcome', id, method, outcome })
    this.flush()
  }

  /** Says what may be said now: called again when the reader has caught up. */
  flush(): void {
    const { socket, spell, failed } = this.#parts
    while (!this.#spelling && this.#backlog.size > 0 && socket.buffered < HOLD_BYTES) {
      const item = this.#backlog.shift()
      if (!item) return
      try {
        const frames = spell(item)
        if (frames instanceof Promise) this.#await(frames)
        else this.send(frames)
      } catch (thrown) {
        failed(thrown)
      }
    }
  }

  /** Frames that are spelled already. */
  send(frames: readonly JsonObject[]): void {
    for (const frame of frames) this.#parts.socket.send(JSON.stringify(frame))
  }

  /** The socket has closed. */
  clear(): void {
    this.#backlog.clear()
  }

  /** Later items wait, so that order is kept. */
  #await(frames: Promise<readonly JsonObject[]>): void {
    this.#spelling = true
    frames
      .then((late) => this.send(late))
      .catch(this.#parts.failed)
      .finally(() => {
        this.#spelling = false
        this.flush()
      })
  }
}
