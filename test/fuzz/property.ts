/**
 * What is fuzzed, as data: a property says which inputs there are and what must hold after any of them; a subject is the
 * gateway it holds on, opened once for all its properties. Nothing here knows sockets or files, or how long anybody tries.
 */
import type fc from 'fast-check'

export interface Property<Case = unknown> {
  /** What follows the slash in `frames/talk`. */
  readonly name: string
  /** How many inputs the seeded run tries: together about half a minute on one core. */
  readonly runs: number
  readonly cases: fc.Arbitrary<Case>
  /** Rejects with a sentence where the gateway did not stand it. */
  holds(input: Case): Promise<void>
}

/** A property whose inputs are of any type, among others. */
export function property<Case>(one: Property<Case>): Property {
  // Each is only ever given the cases of its own arbitrary.
  return one
}

export interface Subject {
  readonly properties: readonly Property[]
  /** Of the process that is fuzzed. */
  residentBytes(): Promise<number>
  /** Rejects where something went wrong that no input was answered for. */
  close(): Promise<void>
}

/** How a subject comes to be; one for each way a gateway can be run. */
export interface Opening {
  /** `frames`, `requests`: what `--only` takes. */
  readonly noun: string
  /** `uws`, `ws`, or nothing where no transport is in it. */
  readonly variant?: 'uws' | 'ws'
  open(): Promise<Subject>
}

/** `frames/uws`. */
export function titleOf({ noun, variant }: Opening): string {
  return variant === undefined ? noun : `${noun}/${variant}`
}
