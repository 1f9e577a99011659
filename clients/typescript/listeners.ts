/** Who wants to hear which events. A listener that throws is its owner's mistake, and keeps no other from hearing. */

/** Told the event's data. */
export type Listener = (data: Readonly<Record<string, unknown>>) => void

/** What came of adding one. */
export interface Listening {
  readonly off: () => void
  /** Whether nobody listened to that name before. */
  readonly isFirst: boolean
  /** Whether nobody listens to that name now. */
  readonly isLast: () => boolean
}

export class Listeners {
  readonly #byName = new Map<string, Set<Listener>>()

  add(name: string, listener: Listener): Listening {
    const known = this.#byName.get(name)
    const all = known ?? new Set()
    // A function given twice is two listeners.
    const own: Listener = (data) => listener(data)
    this.#byName.set(name, all.add(own))
    const off = (): void => {
      all.delete(own)
      if (all.size === 0 && this.#byName.get(name) === all) this.#byName.delete(name)
    }
    return { off, isFirst: known === undefined, isLast: () => !this.#byName.has(name) }
  }

  /** Every name that somebody listens to. */
  names(): string[] {
    return [...this.#byName.keys()]
  }

  tell(name: string, data: Readonly<Record<string, unknown>>): void {
    for (const listener of this.#byName.get(name) ?? []) {
      try {
        listener(data)
      } catch (thrown) {
        // As an unhandled error of its own, where its owner will see it, and not in the middle of the connection's work.
        void Promise.reject(thrown)
      }
    }
  }
}
