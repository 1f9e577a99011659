/**
 * What waits for a reader who is behind. Results are never dropped; two events in a row that say they may be joined become
 * one, so that a slow reader of a long answer costs the answer's text and not its thousand frames. It counts what it holds,
 * for whoever must give a reader up.
 */
import type { GatewayEvent, JsonObject, Outcome } from '@isopod/plugin-api'

/** Something to be told in its turn. */
export type Waiting<Other> = { readonly kind: 'event'; readonly event: GatewayEvent } | Other

interface Held<Other> {
  item: Waiting<Other>
  characters: number
}

export class Backlog<Other extends { readonly kind: string; readonly outcome?: Outcome }> {
  #held: Held<Other>[] = []
  /** Where the first stands. Shifting a list of 100,000 moves all of it each time, and a slow reader may have that many. */
  #first = 0
  #characters = 0

  get size(): number {
    return this.#held.length - this.#first
  }

  /** Roughly what it holds, as JSON. The item whose turn is next is not counted: most are told the moment they come. */
  get characters(): number {
    return this.#characters
  }

  push(item: Waiting<Other>): void {
    const last = this.size === 0 ? undefined : this.#held.at(-1)
    const joined = last && isEvent(last.item) && isEvent(item) ? join(last.item.event, item.event) : undefined
    if (!last || !joined) {
      this.#hold({ item, characters: last ? charactersOf(item) : 0 })
      return
    }
    const characters = joined.added.length
    last.item = { kind: 'event', event: joined.event }
    last.characters += characters
    this.#characters += characters
  }

  /** The one that has waited longest. */
  shift(): Waiting<Other> | undefined {
    const held = this.#held[this.#first]
    if (!held) return undefined
    this.#first += 1
    this.#characters -= held.characters
    if (this.#first * 2 >= this.#held.length) this.#closeUp()
    return held.item
  }

  clear(): void {
    this.#held = []
    this.#first = 0
    this.#characters = 0
  }

  #closeUp(): void {
    this.#held.splice(0, this.#first)
    this.#first = 0
  }

  #hold(held: Held<Other>): void {
    this.#held.push(held)
    this.#characters += held.characters
  }
}

/** What an item weighs beside its content: its frame and its place here. */
const FRAME_CHARACTERS = 128

function charactersOf(item: Waiting<{ readonly kind: string; readonly outcome?: Outcome }>): number {
  if (isEvent(item)) return FRAME_CHARACTERS + JSON.stringify(item.event.data).length
  // A value was copied as JSON when it left the plugin; only `undefined` has no text.
  return FRAME_CHARACTERS + (item.outcome?.ok ? (JSON.stringify(item.outcome.value) ?? '').length : 0)
}

function isEvent(item: { readonly kind: string }): item is { readonly kind: 'event'; readonly event: GatewayEvent } {
  return item.kind === 'event'
}

/** One event for two, with the number of the later; undefined where they may not be joined. */
function join(first: GatewayEvent, second: GatewayEvent): { readonly event: GatewayEvent; readonly added: string } | undefined {
  const field = second.join
  if (field === undefined || first.join !== field || first.name !== second.name || first.runId !== second.runId) return undefined
  const [earlier, added] = [first.data[field], second.data[field]]
  if (typeof earlier !== 'string' || typeof added !== 'string') return undefined
  const data: JsonObject = { ...second.data, [field]: earlier + added }
  return { event: { ...second, data }, added }
}
