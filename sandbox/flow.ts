/**
 * The two ends of a stream that crosses the wall. The outflow draws from an iterable only while its reader has given
 * credit, so a reader that stops stops the source; the inflow gives credit back as its items are taken. Neither knows whether
 * it stands in the gateway or in the child.
 */

/** Items under way at once. Enough that a pipe's round trip (0.1 ms) does not slow a stream, few enough to hold in memory. */
export const STREAM_WINDOW = 16

export interface OutflowParts<Item> {
  readonly items: AsyncIterable<Item>
  /** Items that may go before more credit comes. */
  readonly credit: number
  /** Carries one item over. What it throws ends the stream. */
  readonly send: (item: Item) => void
  /** Called once, when nothing more will be sent: with what the source threw, where it did. Never throws. */
  readonly end: (failure?: { readonly thrown: unknown }) => void
}

/** The end that sends. */
export class Outflow<Item> {
  readonly #parts: OutflowParts<Item>
  #iterator: AsyncIterator<Item> | undefined
  #credit: number
  #left = false
  #wake: (() => void) | undefined

  constructor(parts: OutflowParts<Item>) {
    this.#parts = parts
    this.#credit = parts.credit
    void this.#run()
  }

  /** The reader has room for `count` more. */
  grant(count: number): void {
    this.#credit += count
    this.#wake?.()
  }

  /** The reader has gone: the source's own clean-up runs, and nothing more is sent. */
  leave(): void {
    if (this.#left) return
    this.#left = true
    this.#wake?.()
    // Asked at once and not after the item that is being made: for some sources this is what ends the waiting.
    void this.#returned()
  }

  async #run(): Promise<void> {
    let failure: { readonly thrown: unknown } | undefined
    try {
      this.#iterator = this.#parts.items[Symbol.asyncIterator]()
      await this.#draw(this.#iterator)
    } catch (thrown) {
      failure = { thrown }
    }
    this.#parts.end(failure)
  }

  async #draw(iterator: AsyncIterator<Item>): Promise<void> {
    while (await this.#mayDraw()) {
      const next = await iterator.next()
      if (next.done === true) return
      if (this.#left) return
      this.#credit--
      this.#send(next.value)
    }
  }

  #send(item: Item): void {
    try {
      this.#parts.send(item)
    } catch (thrown) {
      void this.#returned()
      throw thrown
    }
  }

  async #mayDraw(): Promise<boolean> {
    while (this.#credit <= 0 && !this.#left) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return !this.#left
  }

  async #returned(): Promise<void> {
    try {
      await this.#iterator?.return?.()
    } catch {
      // The reader has gone; there is nobody to tell.
    }
  }
}

export interface InflowParts {
  readonly window: number
  /** Begins the stream, at the first item asked for. */
  readonly open?: () => void
  readonly credit: (count: number) => void
  readonly leave: () => void
}

interface Waiter<Item> {
  readonly resolve: (result: IteratorResult<Item, undefined>) => void
  readonly reject: (reason: unknown) => void
}

/** The end that reads: an async iterator, to be read by one reader. */
export class Inflow<Item> implements AsyncIterableIterator<Item, undefined> {
  readonly #parts: InflowParts
  readonly #waiting: Item[] = []
  readonly #waiters: Waiter<Item>[] = []
  #opened = false
  #left = false
  #over: { readonly thrown?: unknown } | undefined
  /** Items taken since credit was last given. */
  #taken = 0

  constructor(parts: InflowParts) {
    this.#parts = parts
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** The next item came. False where it came without credit: the other side does not keep to the rule. */
  push(item: Item): boolean {
    if (this.#left || this.#over) return true
    if (this.#waiting.length >= this.#parts.window) return false
    const waiter = this.#waiters.shift()
    if (waiter) this.#hand(item, waiter)
    else this.#waiting.push(item)
    return true
  }

  /** The stream is over. What has come already can still be read. */
  end(over: { readonly thrown?: unknown } = {}): void {
    if (this.#over) return
    this.#over = over
    for (const waiter of this.#waiters.splice(0)) this.#finish(waiter)
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject }
      if (this.#waiting.length > 0) return this.#hand(this.#waiting.shift() as Item, waiter)
      if (this.#left || this.#over) return this.#finish(waiter)
      this.#waiters.push(waiter)
      this.#open()
    })
  }

  /** Leaves the stream. Resolves at once: a source that is stuck must not hold its reader. */
  return(): Promise<IteratorResult<Item, undefined>> {
    const wasUnderWay = this.#opened && !this.#left && !this.#over
    this.#left = true
    this.#waiting.length = 0
    for (const waiter of this.#waiters.splice(0)) waiter.resolve({ done: true, value: undefined })
    if (wasUnderWay) this.#parts.leave()
    return Promise.resolve({ done: true, value: undefined })
  }

  #open(): void {
    if (this.#opened) return
    this.#opened = true
    try {
      this.#parts.open?.()
    } catch (thrown) {
      this.end({ thrown })
    }
  }

  #hand(item: Item, waiter: Waiter<Item>): void {
    waiter.resolve({ done: false, value: item })
    this.#taken++
    if (this.#taken * 2 < this.#parts.window || this.#over) return
    this.#parts.credit(this.#taken)
    this.#taken = 0
  }

  /** What the source threw is thrown once; after that the stream is simply over. */
  #finish(waiter: Waiter<Item>): void {
    const thrown = this.#left ? undefined : this.#over?.thrown
    this.#over = {}
    if (thrown === undefined) waiter.resolve({ done: true, value: undefined })
    else waiter.reject(thrown)
  }
}
