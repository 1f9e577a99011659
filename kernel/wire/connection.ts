/**
 * One open WebSocket: who is on it, what it speaks, and the calls it has in flight. Frames come in and become calls;
 * outcomes and events go out through the outbox. What a frame means is the dialect's business, what a call does the
 * methods'; here is only what every socket needs whatever it speaks.
 */
import { refusalOf, RpcError, type Caller, type GreetingFacts, type Json, type JsonObject, type Outcome, type Refusal, type Wish } from '@isopod/plugin-api'
import { presentedInFrame } from '../auth/credentials.ts'
import { Call } from '../call.ts'
import { dispatch } from '../dispatch.ts'
import type { Front } from '../front.ts'
import { asRefusal } from '../http/reply.ts'
import { isObject, parseJson } from '../json-input.ts'
import { CALLS_PER_SOCKET, FIRST_FRAME_BYTES, FIRST_FRAME_MS } from '../limits.ts'
import type { Socket } from '../transport/socket.ts'
import { Outbox } from './outbox.ts'
import { Speech } from './speech.ts'
import type { Admission } from './upgrade.ts'

/** Close codes of RFC 6455, 7.4.1, and what they say here. */
const CLOSE = { unsupported: 1003, policy: 1008, tooBig: 1009, broken: 1011, restart: 1012, busy: 1013 } as const

export class Connection {
  readonly #front: Front
  readonly #socket: Socket
  readonly #speech: Speech
  readonly #outbox: Outbox
  readonly #clientId: string
  readonly #calls = new Set<Call>()
  readonly #release: () => void
  #caller: Caller | undefined
  #stopWaiting: (() => void) | undefined
  /** Frames that came while an earlier one, or the greeting, waits for its dialect. */
  readonly #frames: string[] = []
  #waiting = true

  constructor(front: Front, socket: Socket, { caller, dialect, release }: Admission) {
    this.#front = front
    this.#socket = socket
    this.#caller = caller
    this.#release = release
    this.#clientId = front.core.clock.id()
    this.#speech = new Speech(dialect, front.dialects())
    this.#outbox = new Outbox({ socket, spell: (spoken) => this.#spell(spoken), failed: (thrown) => this.#broken(thrown) })
    if (!caller) this.#stopWaiting = front.core.clock.after(FIRST_FRAME_MS, () => this.close(CLOSE.policy, 'No credential came in time'))
    void this.#greet().then(() => this.#goOn())
  }

  get caller(): Caller | undefined {
    return this.#caller
  }

  /** A frame has come. */
  message(text: string, binary: boolean): void {
    if (binary) {
      this.close(CLOSE.unsupported, 'This gateway speaks text frames')
      return
    }
    if (!this.#caller && text.length > FIRST_FRAME_BYTES) {
      this.close(CLOSE.tooBig, `Before a credential a frame has at most ${FIRST_FRAME_BYTES} bytes`)
      return
    }
    if (this.#frames.length >= CALLS_PER_SOCKET) {
      this.close(CLOSE.busy, `At most ${CALLS_PER_SOCKET} frames may wait on one socket`)
      return
    }
    this.#frames.push(text)
    this.#takeAll()
  }

  /** The reader has caught up. */
  drain(): void {
    this.#outbox.flush()
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason)
  }

  /** The socket is closed: calls that are no run have nobody left to answer. */
  closed(): void {
    this.#stopWaiting?.()
    this.#release()
    this.#front.core.events.forget(this.#outbox)
    this.#outbox.clear()
    for (const call of this.#calls) call.abandon()
  }

  async #greet(): Promise<void> {
    try {
      this.#outbox.send(await this.#speech.greet(this.#front.core.current(), this.#facts()))
    } catch (thrown) {
      this.#broken(thrown)
    }
  }

  /** Takes frames in the order they came, one at a time until each has become a wish. */
  #takeAll(): void {
    while (!this.#waiting) {
      const text = this.#frames.shift()
      if (text === undefined) return
      const late = this.#take(text)
      if (!late) continue
      this.#waiting = true
      void late.then(() => this.#goOn())
    }
  }

  #goOn(): void {
    this.#waiting = false
    this.#takeAll()
  }

  /** Carries a frame to its wish; answers a promise only where the dialect needs one. */
  #take(text: string): Promise<void> | undefined {
    const generation = this.#front.core.current()
    try {
      const frame = parseJson(text)
      if (!isObject(frame)) throw new RpcError('invalid_request', 'A frame is one JSON object')
      if (!this.#speech.recognize(generation, frame)) throw new RpcError('invalid_request', 'No dialect here opens with such a frame')
      const dialect = this.#speech.dialect(generation)
      if (!dialect) {
        this.close(CLOSE.restart, 'This dialect has been switched off')
        return undefined
      }
      const wish = this.#speech.decode(dialect, frame)
      if (wish instanceof Promise) return wish.then((late) => this.#grant(late)).catch((thrown: unknown) => this.#broken(thrown))
      this.#grant(wish)
    } catch (thrown) {
      this.#refuse(null, refusalOf(asRefusal(thrown)))
    }
    return undefined
  }

  #grant(wish: Wish): void {
    switch (wish.do) {
      case 'call':
        this.#call(wish.id, wish.method, wish.params)
        break
      case 'auth':
        this.#authenticate(wish.id, wish)
        break
      case 'refuse':
        this.#refuse(wish.id, wish.refusal)
        break
      case 'nothing':
        break
    }
  }

  #call(id: Json, method: string, params: JsonObject): void {
    if (this.#calls.size >= CALLS_PER_SOCKET) {
      this.close(CLOSE.busy, `At most ${CALLS_PER_SOCKET} calls at once on one socket`)
      return
    }
    const call = new Call({ core: this.#front.core, caller: this.#caller, method, sink: this.#outbox })
    try {
      const answer = dispatch(call, params)
      if (!(answer instanceof Promise)) {
        this.#outbox.reply(id, method, { ok: true, value: answer })
        return
      }
      this.#calls.add(call)
      void answer.then(settledWell, settledBadly).then((outcome) => {
        this.#calls.delete(call)
        this.#outbox.reply(id, method, outcome)
      })
    } catch (thrown) {
      this.#outbox.reply(id, method, settledBadly(thrown))
    }
  }

  #authenticate(id: Json, shown: { readonly token?: string; readonly password?: string }): void {
    const verdict = this.#front.auth().authenticate(presentedInFrame(shown), this.#socket.remoteAddress)
    if (verdict.refusal) {
      this.#refuse(id, verdict.refusal)
      this.close(CLOSE.policy, verdict.refusal.message)
      return
    }
    this.#stopWaiting?.()
    this.#caller = verdict.caller
    const dialect = this.#speech.dialect(this.#front.core.current())
    if (!dialect) return
    const frames = this.#speech.encode(dialect, { kind: 'welcome', id, facts: this.#facts() }, this.#front.core.clock.now())
    Promise.resolve(frames).then((said) => this.#outbox.send(said), (thrown: unknown) => this.#broken(thrown))
  }

  #refuse(id: Json, refusal: Refusal): void {
    this.#outbox.reply(id, '', { ok: false, refusal })
  }

  #spell(spoken: Parameters<Speech['encode']>[1]) {
    const dialect = this.#speech.dialect(this.#front.core.current())
    return dialect ? this.#speech.encode(dialect, spoken, this.#front.core.clock.now()) : []
  }

  /** The dialect itself failed: nothing it says can be trusted any more. */
  #broken(thrown: unknown): void {
    this.#front.core.log.error('A dialect failed; its socket is closed', { err: thrown })
    this.close(CLOSE.broken, 'Internal error')
  }

  #facts(): GreetingFacts {
    const { core, version } = this.#front
    const nouns = [...core.current().methods.values()].filter(({ item }) => !item.internal).map(({ item }) => item.name.slice(0, item.name.indexOf('.')))
    return { clientId: this.#clientId, gatewayVersion: version, capabilities: [...new Set(nouns)].sort(), authenticated: this.#caller !== undefined, now: core.clock.now() }
  }
}

function settledWell(value: unknown): Outcome {
  return { ok: true, value }
}

function settledBadly(thrown: unknown): Outcome {
  return { ok: false, refusal: refusalOf(asRefusal(thrown)) }
}
