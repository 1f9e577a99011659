/**
 * The calls inside something: an instance, whose handlers they run, or a generation, which they began on. What is being
 * replaced may go once the last of them has left. Each is given a place and leaves by its number: a `Set` would hash every
 * call twice on its way, which costs as much as the ladder.
 */
export class Calls<Visitor extends object> {
  readonly #places: (Visitor | undefined)[] = []
  /** Numbers of places that somebody has left. */
  readonly #free: number[] = []
  #waiting: (() => void)[] | undefined

  get size(): number {
    return this.#places.length - this.#free.length
  }

  /** Answers the place to leave by. */
  enter(visitor: Visitor): number {
    const place = this.#free.pop() ?? this.#places.length
    this.#places[place] = visitor
    return place
  }

  /** Once for each place. */
  leave(place: number): void {
    this.#places[place] = undefined
    this.#free.push(place)
    if (this.#waiting && this.size === 0) this.#tell()
  }

  /** Those inside now. */
  all(): readonly Visitor[] {
    return this.#places.filter((visitor) => visitor !== undefined)
  }

  /** Resolves once nobody is inside; at once where nobody is. */
  emptied(): Promise<void> {
    if (this.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiting ??= []
      this.#waiting.push(resolve)
    })
  }

  #tell(): void {
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    for (const resolve of waiting) resolve()
  }
}
