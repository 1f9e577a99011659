/**
 * A socket's dialect and its state. Until the first frame has decided it, every dialect that might still be meant greets;
 * afterwards only the one that was recognized is asked. A dialect of a plugin behind the wall answers promises; one in this
 * process does not, and its frames go out in the same turn. It is asked one thing at a time, since each answer is also the
 * state for the next.
 */
import type { Dialect, Encoded, GreetingFacts, Json, JsonObject, Spoken, Wish } from '@isopod/plugin-api'
import type { Clock } from '../clock.ts'
import { spelledInTime } from '../deadline.ts'
import type { Generation } from '../generation.ts'
import { byFirstFrame, inOrder } from './recognize.ts'

type Frames = readonly JsonObject[]

/** An answer of a dialect, which is also the state it wants to be asked with next. */
interface Stateful {
  readonly state: Json
}

export interface SpeechParts {
  /** The dialect's name, where the upgrade decided it. */
  readonly decided: string | undefined
  /** Names in the order in which openings are tried. */
  readonly preferred: readonly string[]
  readonly clock: Clock
  /** A dialect that may not even be meant failed to greet: the socket goes on without it. */
  readonly left: (dialect: string, thrown: unknown) => void
}

export class Speech {
  readonly #parts: SpeechParts
  readonly #states = new Map<string, Json>()
  readonly #left = new Set<string>()
  #name: string | undefined
  #turn: Promise<unknown> | undefined

  constructor(parts: SpeechParts) {
    this.#parts = parts
    this.#name = parts.decided
  }

  /** What is said before the first frame, dialects in their order. */
  greet(generation: Generation, facts: GreetingFacts): Frames | Promise<Frames> {
    const said = this.#possible(generation).map((dialect) => this.#greeting(dialect, facts))
    if (!said.some((one) => one instanceof Promise)) return (said as Frames[]).flat()
    return Promise.all(said.map((one) => Promise.resolve(one))).then((all) => all.flat())
  }

  /** Whether this frame's dialect is known now; decides it where none was. */
  recognize(generation: Generation, frame: JsonObject): boolean {
    this.#name ??= byFirstFrame(this.#possible(generation), frame)?.name
    return this.#name !== undefined
  }

  /** The dialect in this generation; undefined where its plugin has gone. An undecided socket is answered in the first one. */
  dialect(generation: Generation): Dialect | undefined {
    return this.#name === undefined ? this.#possible(generation)[0] : generation.dialects.get(this.#name)?.item
  }

  decode(dialect: Dialect, frame: JsonObject): Wish | Promise<Wish> {
    const answer = this.#ask(dialect, (state) => dialect.decode(frame, state))
    return answer instanceof Promise ? answer.then(({ wish }) => wish) : answer.wish
  }

  encode(dialect: Dialect, spoken: Spoken, now: number): Frames | Promise<Frames> {
    return framesOf(this.#ask(dialect, (state) => dialect.encode(spoken, state, now)))
  }

  #greeting(dialect: Dialect, facts: GreetingFacts): Frames | Promise<Frames> {
    const leave = (thrown: unknown): Frames => {
      if (this.#name !== undefined) throw thrown
      this.#left.add(dialect.name)
      this.#parts.left(dialect.name, thrown)
      return []
    }
    try {
      const said = framesOf(this.#ask(dialect, () => dialect.greet(facts)))
      return said instanceof Promise ? said.catch(leave) : said
    } catch (thrown) {
      return leave(thrown)
    }
  }

  /** Asks in its turn, and keeps the state that comes with the answer. */
  #ask<Answer extends Stateful>(dialect: Dialect, ask: (state: Json) => Answer | Promise<Answer>): Answer | Promise<Answer> {
    const answer = this.#turn ? this.#turn.then(() => this.#enter(dialect, ask)) : this.#enter(dialect, ask)
    if (answer instanceof Promise) this.#wait(answer)
    return answer
  }

  #enter<Answer extends Stateful>(dialect: Dialect, ask: (state: Json) => Answer | Promise<Answer>): Answer | Promise<Answer> {
    const answer = spelledInTime(ask(this.#states.get(dialect.name) ?? null), this.#parts.clock, `The dialect ${dialect.name}`)
    return answer instanceof Promise ? answer.then((late) => this.#kept(dialect, late)) : this.#kept(dialect, answer)
  }

  #kept<Answer extends Stateful>({ name }: Dialect, answer: Answer): Answer {
    this.#states.set(name, answer.state)
    return answer
  }

  /** What comes next waits for this. */
  #wait(answer: Promise<unknown>): void {
    const turn = answer
      .catch(() => {})
      .then(() => {
        if (this.#turn === turn) this.#turn = undefined
      })
    this.#turn = turn
  }

  #possible(generation: Generation): readonly Dialect[] {
    const decided = this.#name === undefined ? undefined : generation.dialects.get(this.#name)?.item
    if (this.#name !== undefined) return decided ? [decided] : []
    return inOrder(generation, this.#parts.preferred).filter(({ name }) => !this.#left.has(name))
  }
}

function framesOf(said: Encoded | Promise<Encoded>): Frames | Promise<Frames> {
  return said instanceof Promise ? said.then(({ frames }) => frames) : said.frames
}
