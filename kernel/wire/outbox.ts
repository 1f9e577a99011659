/**
 * What a socket is going to say, in order. Each item is spelled when its turn comes; while the reader is behind, items wait
 * here and events that may be joined are. A reader for whom too much waits is given up, so that nobody who never reads can
 * fill the memory.
 */
import type { GatewayEvent, Json, JsonObject, Outcome, Spoken } from '@isopod/plugin-api'
import { Backlog, type Waiting } from '../backlog.ts'
import type { EventSink } from '../events.ts'
import { BACKPRESSURE_BYTES } from '../limits.ts'
import type { Socket } from '../transport/socket.ts'

/** Past this many bytes in the socket's own buffer, what comes next waits here, where it can still be joined. */
const HOLD_BYTES = 256 * 1024

type Said = Exclude<Spoken, { readonly kind: 'event' }> | { readonly kind: 'close'; readonly code: number; readonly reason: string }

export interface OutboxParts {
  readonly socket: Socket
  /** Spells one item as frames, or a promise of them. */
  readonly spell: (spoken: Spoken) => readonly JsonObject[] | Promise<readonly JsonObject[]>
  /** The item could not be spelled. */
  readonly failed: (thrown: unknown) => void
  /** All that was to be said before is said. */
  readonly close: (code: number, reason: string) => void
  /** The reader is further behind than anybody may be. */
  readonly overrun: () => void
}

export class Outbox implements EventSink {
  readonly #parts: OutboxParts
  readonly #backlog = new Backlog<Said>()
  #spelling = false
  #over = false

  constructor(parts: OutboxParts) {
    this.#parts = parts
  }

  get waiting(): number {
    return this.#backlog.characters
  }

  hear(event: GatewayEvent): void {
    this.say({ kind: 'event', event })
  }

  reply(id: Json, method: string, outcome: Outcome): void {
    this.say({ kind: 'outcome', id, method, outcome })
  }

  say(item: Waiting<Said>): void {
    if (this.#over) return
    if (this.#backlog.size === 0 && this.#isFree) return this.#tell(item)
    this.#backlog.push(item)
    this.flush()
    if (this.#backlog.characters > BACKPRESSURE_BYTES) this.#parts.overrun()
  }

  /** Says what may be said now: called again when the reader has caught up. */
  flush(): void {
    while (this.#backlog.size > 0 && this.#isFree) {
      const item = this.#backlog.shift()
      if (item) this.#tell(item)
    }
  }

  /** Nothing more is said. */
  end(): void {
    this.#over = true
    this.#backlog.clear()
  }

  /** Frames that are spelled already, or will be: what comes later waits for them. */
  send(frames: readonly JsonObject[] | Promise<readonly JsonObject[]>): void {
    if (!(frames instanceof Promise)) return this.#put(frames)
    this.#spelling = true
    void this.#putLate(frames)
  }

  /** Whether the next item may be said at once. */
  get #isFree(): boolean {
    return !this.#spelling && this.#parts.socket.buffered < HOLD_BYTES
  }

  #tell(item: Waiting<Said>): void {
    if (item.kind === 'close') this.#parts.close(item.code, item.reason)
    else this.#spell(item)
  }

  async #putLate(frames: Promise<readonly JsonObject[]>): Promise<void> {
    try {
      this.#put(await frames)
    } catch (thrown) {
      this.#parts.failed(thrown)
    }
    this.#spelling = false
    this.flush()
  }

  #spell(item: Spoken): void {
    try {
      this.send(this.#parts.spell(item))
    } catch (thrown) {
      this.#parts.failed(thrown)
    }
  }

  #put(frames: readonly JsonObject[]): void {
    for (const frame of frames) {
      if (this.#over) return
      if (!this.#parts.socket.send(JSON.stringify(frame))) this.end()
    }
  }
}
