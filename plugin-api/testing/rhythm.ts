/**
 * When the plugins of a testing gateway are brought anew: after calls whose number a test can say or leave to chance. Chance
 * is seeded with how many gateways this process has opened before, so a test that fails fails again.
 */

/** How many calls may lie between two renewals where the test does not say. */
const FEWEST = 3
const MOST = 9

let opened = 0

export class Rhythm {
  readonly #every: number | undefined
  #seed: number
  #left: number

  /** @param every exactly so many calls; 0 is never. Without it, 3 to 9, drawn anew each time. */
  constructor(every?: number) {
    opened += 1
    this.#every = every
    this.#seed = opened
    this.#left = this.#next()
  }

  /** Counts a call; true where the plugins are to be brought anew before it. */
  isDue(): boolean {
    this.#left -= 1
    if (this.#left !== 0) return false
    this.#left = this.#next()
    return true
  }

  #next(): number {
    return this.#every ?? FEWEST + Math.floor(this.#draw() * (MOST - FEWEST + 1))
  }

  /** From 0 up to 1, evenly: the generator known as mulberry32. */
  #draw(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
