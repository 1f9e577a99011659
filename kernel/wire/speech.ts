/**
 * A socket's dialect and its state. Until the first frame has decided it, every dialect that might still be meant greets;
 * afterwards only the one that was recognized is asked. A dialect of a plugin behind the wall answers promises; one in this
 * process does not, and its frames go out in the same turn.
 */
import type { Dialect, Encoded, GreetingFacts, Json, JsonObject, Spoken, Wish } from '@isopod/plugin-api'
import type { Generation } from '../generation.ts'
import { byFirstFrame, inOrder } from './recognize.ts'

export class Speech {
  readonly #preferred: readonly string[]
  readonly #states = new Map<string, Json>()
  #name: string | undefined

  constructor(name: string | undefined, preferred: readonly string[]) {
    this.#name = name
    this.#preferred = preferred
  }

  get decided(): boolean {
    return this.#name !== undefined
  }

  /** What is said before the first frame, dialects in their order. */
  async greet(generation: Generation, facts: GreetingFacts): Promise<readonly JsonObject[]> {
    const frames: JsonObject[] = []
    for (const dialect of this.#possible(generation)) {
      const greeting = await dialect.greet(facts)
      this.#states.set(dialect.name, greeting.state)
      frames.push(...greeting.frames)
    }
    return frames
  }

  /** Whether this frame's dialect is known now; decides it where none was. */
  recognize(generation: Generation, frame: JsonObject): boolean {
    this.#name ??= byFirstFrame(this.#possible(generation), frame)?.name
    return this.decided
  }

  /** The dialect in this generation; undefined where its plugin has gone. An undecided socket is answered in the first one. */
  dialect(generation: Generation): Dialect | undefined {
    return this.#name === undefined ? this.#possible(generation)[0] : generation.dialects.get(this.#name)?.item
  }

  decode(dialect: Dialect, frame: JsonObject): Wish | Promise<Wish> {
    const decoded = dialect.decode(frame, this.#state(dialect))
    if (decoded instanceof Promise) {
      return decoded.then((late) => {
        this.#states.set(dialect.name, late.state)
        return late.wish
      })
    }
    this.#states.set(dialect.name, decoded.state)
    return decoded.wish
  }

  encode(dialect: Dialect, spoken: Spoken, now: number): readonly JsonObject[] | Promise<readonly JsonObject[]> {
    const encoded = dialect.encode(spoken, this.#state(dialect), now)
    return encoded instanceof Promise ? encoded.then((late) => this.#kept(dialect, late)) : this.#kept(dialect, encoded)
  }

  #kept(dialect: Dialect, encoded: Encoded): readonly JsonObject[] {
    this.#states.set(dialect.name, encoded.state)
    return encoded.frames
  }

  #state(dialect: Dialect): Json {
    return this.#states.get(dialect.name) ?? null
  }

  #possible(generation: Generation): readonly Dialect[] {
    const all = inOrder(generation, this.#preferred)
    return this.#name === undefined ? all : all.filter((one) => one.name === this.#name)
  }
}
