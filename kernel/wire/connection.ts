/**
 * One open WebSocket: who is on it, what it speaks, and the calls it has in flight. Frames come in and become calls;
 * outcomes and events go out through the outbox. What a frame means is the dialect's business, what a call does the
 * methods'; here is only what every socket needs whatever it speaks.
 */
import {
  jsonCopy,
  type Caller,
  type Dialect,
  type GreetingFacts,
  type Json,
  type JsonObject,
  type Refusal,
  type Spoken,
  type Wish,
} from '@isopod/plugin-api'
import { presentedInFrame } from '../auth/credentials.ts'
import { Call } from '../call.ts'
import { dispatch } from '../dispatch.ts'
import type { Front } from '../front.ts'
import type { Generation } from '../generation.ts'
import { CALLS_PER_SOCKET, FIRST_FRAME_BYTES, FIRST_FRAME_MS } from '../limits.ts'
import { refused, succeeded } from '../outcome.ts'
import { endOf } from '../patience.ts'
import { tooOften } from '../http/reply.ts'
import type { Socket } from '../transport/socket.ts'
import { HEARTBEAT } from '../pulse.ts'
import { frameIn } from './frame.ts'
import { FrameQueue } from './frame-queue.ts'
import { Outbox } from './outbox.ts'
import { Speech } from './speech.ts'
import { TOO_MANY_SOCKETS, type Admission } from './upgrade.ts'

/** Close codes of RFC 6455, 7.4.1, and what they say here. */
const CLOSE = { unsupported: 1003, policy: 1008, tooBig: 1009, broken: 1011, restart: 1012, busy: 1013 } as const

const OTHER_CREDENTIAL: Refusal = { code: 'conflict', message: 'This socket has a credential already: open another for this one' }

export class Connection {
  readonly #front: Front
  readonly #socket: Socket
  readonly #speech: Speech
  readonly #outbox: Outbox
  readonly #frames: FrameQueue
  readonly #clientId: string
  readonly #calls = new Set<Call>()
  #release: () => void
  #caller: Caller | undefined
  #stopWaiting: (() => void) | undefined
  /** What has come before a credential did. */
  #earlyBytes = 0
  /** From here on nothing is taken and nothing said. */
  #over = false

  constructor(front: Front, socket: Socket, { caller, dialect, release }: Admission) {
    const { core } = front
    this.#front = front
    this.#socket = socket
    this.#release = release
    this.#clientId = core.clock.id()
    this.#frames = new FrameQueue((text) => this.#take(text))
    this.#speech = new Speech({
      decided: dialect,
      preferred: front.dialects(),
      clock: core.clock,
      left: (name, thrown) => core.log.error(`The dialect ${name} failed to greet a socket`, { err: thrown }),
    })
    this.#outbox = new Outbox({
      socket,
      spell: (spoken) => this.#spell(spoken),
      failed: (thrown) => this.#broken(thrown),
      close: (code, reason) => this.close(code, reason),
      overrun: () => this.close(CLOSE.busy, 'Too far behind in reading'),
    })
    if (caller) this.#admit(caller)
    else this.#stopWaiting = core.clock.after(FIRST_FRAME_MS, () => this.close(CLOSE.policy, 'No credential came in time'))
  }

  get caller(): Caller | undefined {
    return this.#caller
  }

  /** What the socket is told unasked. Called once, before its first frame. */
  greet(): void {
    try {
      const said = this.#speech.greet(this.#front.core.current(), this.#facts())
      this.#outbox.send(said)
      if (said instanceof Promise) this.#frames.wait(said)
    } catch (thrown) {
      this.#broken(thrown)
    }
  }

  /** A frame has come. */
  message(text: string, binary: boolean): void {
    if (this.#over) return
    if (binary) this.close(CLOSE.unsupported, 'This gateway speaks text frames')
    else if (!this.#caller && this.#isTooEarly(text)) this.close(CLOSE.tooBig, `At most ${FIRST_FRAME_BYTES} bytes before a credential`)
    else if (!this.#frames.push(text)) this.close(CLOSE.busy, 'Too many frames wait on this socket')
  }

  /** The reader has caught up. */
  drain(): void {
    this.#outbox.flush()
  }

  close(code: number, reason: string): void {
    if (this.#over) return
    this.#end()
    this.#socket.close(code, reason)
  }

  /** The socket is closed. */
  closed(): void {
    this.#end()
    this.#release()
  }

  /** Calls that are no run have nobody left to answer. A client may take its time to close: what it still sends is not taken. */
  #end(): void {
    if (this.#over) return
    this.#over = true
    this.#stopWaiting?.()
    this.#frames.end()
    this.#outbox.end()
    this.#front.core.events.forget(this.#outbox)
    for (const call of this.#calls) call.abandon()
  }

  #isTooEarly(text: string): boolean {
    this.#earlyBytes += Buffer.byteLength(text)
    return this.#earlyBytes > FIRST_FRAME_BYTES
  }

  /** Carries a frame to its wish; answers a promise only where the dialect needs one. Never throws. */
  #take(text: string): Promise<void> | undefined {
    const generation = this.#front.core.current()
    try {
      const opened = this.#opened(generation, text)
      const wish = opened && this.#speech.decode(opened.dialect, opened.frame)
      if (wish instanceof Promise) return wish.then((late) => this.#grant(late)).catch((thrown: unknown) => this.#broken(thrown))
      if (wish) this.#grant(wish)
    } catch (thrown) {
      this.#broken(thrown)
    }
    return undefined
  }

  /** The frame and who reads it; undefined once it has been refused, or the socket closed. */
  #opened(generation: Generation, text: string): { readonly dialect: Dialect; readonly frame: JsonObject } | undefined {
    const frame = frameIn(text)
    const isKnown = !('code' in frame) && this.#speech.recognize(generation, frame.frame)
    const dialect = this.#speech.dialect(generation)
    if (!dialect) this.close(CLOSE.restart, 'This dialect has been switched off')
    else if ('code' in frame) this.#refuse(null, frame)
    else if (!isKnown) this.#refuse(null, { code: 'invalid_request', message: 'No dialect here opens with such a frame' })
    else return { dialect, frame: frame.frame }
    return undefined
  }

  #grant(wish: Wish): void {
    if (this.#over) return
    switch (wish.do) {
      case 'call':
        this.#call(wish.id, wish.method, wish.params)
        break
      case 'auth':
        this.#authenticate(wish.id, wish)
        break
      case 'refuse':
        if (wish.final === true) this.#turnOut(wish.id, wish.refusal, CLOSE.policy)
        else this.#refuse(wish.id, wish.refusal, wish.refusal.message)
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
    const { core } = this.#front
    // A dialect that renames makes new params; those that came as they are were frozen when the frame was read.
    const given = Object.isFrozen(params) ? params : (jsonCopy(params, `a frame for ${method}`, 'held') as JsonObject)
    const call = new Call({ core, caller: this.#caller, method, sink: this.#outbox })
    try {
      const answer = dispatch(call, given)
      if (answer instanceof Promise) this.#await(id, call, answer)
      else this.#outbox.reply(id, method, succeeded(answer))
    } catch (thrown) {
      this.#outbox.reply(id, method, refused(thrown))
    }
  }

  #await(id: Json, call: Call, answer: Promise<unknown>): void {
    this.#calls.add(call)
    void endOf(call, answer).then((outcome) => {
      this.#calls.delete(call)
      this.#outbox.reply(id, call.method, outcome)
    })
  }

  #authenticate(id: Json, shown: { readonly token?: string; readonly password?: string }): void {
    const { refusal, caller } = this.#front.auth().authenticate(presentedInFrame(shown), this.#socket.remoteAddress)
    if (refusal) this.#turnOut(id, refusal, CLOSE.policy)
    else if (this.#caller && this.#caller.id !== caller.id) this.#refuse(id, OTHER_CREDENTIAL)
    else if (!this.#caller && this.#isTurnedAway(id, caller)) return
    else this.#outbox.say({ kind: 'welcome', id, facts: this.#facts() })
  }

  /** Its upgrade counts as if the credential had ridden in it. */
  #isTurnedAway(id: Json, caller: Caller): boolean {
    const wait = this.#front.throttle().take(caller.id, 'request')
    const refusal = wait !== undefined ? tooOften(wait) : this.#seat(caller) ? undefined : TOO_MANY_SOCKETS
    if (refusal) this.#turnOut(id, refusal, CLOSE.busy)
    return refusal !== undefined
  }

  /** Counts this socket among its credential's, and no longer among those of its address. */
  #seat(caller: Caller): boolean {
    const release = this.#front.throttle().connect(caller.id)
    if (!release) return false
    this.#release()
    this.#release = release
    this.#stopWaiting?.()
    this.#admit(caller)
    return true
  }

  /** Whoever is in hears the gateway's heartbeat unasked. */
  #admit(caller: Caller): void {
    this.#caller = caller
    this.#front.core.events.subscribe(this.#outbox, caller, [HEARTBEAT])
  }

  #turnOut(id: Json, refusal: Refusal, code: number): void {
    this.#outbox.reply(id, '', { ok: false, refusal })
    this.#outbox.say({ kind: 'close', code, reason: refusal.message })
    this.#frames.end()
  }

  /**
   * Before a credential every frame is unauthorized, whatever else is wrong
   * with it; `early` may say more, of the frame alone.
   */
  #refuse(id: Json, refusal: Refusal, early = 'Unauthorized'): void {
    this.#outbox.reply(id, '', { ok: false, refusal: this.#caller ? refusal : { code: 'unauthorized', message: early } })
  }

  #spell(spoken: Spoken): readonly JsonObject[] | Promise<readonly JsonObject[]> {
    const { core } = this.#front
    const dialect = this.#speech.dialect(core.current())
    if (dialect) return this.#speech.encode(dialect, spoken, core.clock.now())
    this.close(CLOSE.restart, 'This dialect has been switched off')
    return []
  }

  /** The dialect itself failed: nothing it says can be trusted any more. */
  #broken(thrown: unknown): void {
    if (this.#over) return
    this.#front.core.log.error('A dialect failed; its socket is closed', { err: thrown })
    this.close(CLOSE.broken, 'Internal error')
  }

  #facts(): GreetingFacts {
    const { core, version } = this.#front
    const offered = [...core.current().methods.values()].filter(({ item }) => !item.internal)
    const nouns = new Set(offered.map(({ item: { name } }) => name.slice(0, name.indexOf('.'))))
    const authenticated = this.#caller !== undefined
    return { clientId: this.#clientId, gatewayVersion: version, capabilities: [...nouns].sort(), authenticated, now: core.clock.now() }
  }
}
