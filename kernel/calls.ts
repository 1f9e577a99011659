/**
 * The calls inside something: an instance, whose handlers they run, or a generation, which they began on. What is being
 * replaced may go once the last of them has left.
 */
export class Calls<Visitor extends object> {
  readonly #inside = new Set<Visitor>()
  #waiting: (() => void)[] | undefined

  get size(): number {
    return this.#inside.size
  }

  /** Entering twice is the same as once. */
  enter(visitor: Visitor): void {
    this.#inside.add(visitor)
  }

  leave(visitor: Visitor): void {
    this.#inside.delete(visitor)
    if (this.#waiting && this.#inside.size === 0) this.#tell()
  }

  /** Those inside now. */
  all(): readonly Visitor[] {
    return [...this.#inside]
  }

  /** Resolves once nobody is inside; at once where nobody is. */
  emptied(): Promise<void> {
    if (this.#inside.size === 0) return Promise.resolve()
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
