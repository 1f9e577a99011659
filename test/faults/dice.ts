/** Randomness with a seed (mulberry32), so that a test that failed can be run again as it was. */
export class Dice {
  readonly seed: number
  #state: number

  /** The seed of the environment's `FAULT_SEED`, or a new one. */
  constructor(seed = Number(process.env['FAULT_SEED'] ?? Math.trunc(Math.random() * 2 ** 31))) {
    this.seed = seed
    this.#state = seed
  }

  /** A whole number from 0 to below `count`. */
  below(count: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.trunc((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * count)
  }
}
