/**
 * One measured figure: its number, what it is held against in the same run, and whether it keeps its budget. Figures are what
 * is printed and what goes into the JSON.
 */
import { ratio } from './statistics.ts'

export interface Comparison {
  readonly name: string
  readonly value: number
  /** The figure, in times of this. */
  readonly ratio: number
}

export interface Verdict {
  /** As the design has it. */
  readonly budget: string
  readonly met: boolean
}

export interface Figure {
  readonly section: string
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly against: readonly Comparison[]
  readonly verdict?: Verdict
  /** What else belongs to the number; each a short phrase. */
  readonly remarks: readonly string[]
  /** The numbers it was made of, for programs; times in milliseconds unless their name says another unit. */
  readonly raw: Readonly<Record<string, number>>
}

export interface FigureParts {
  readonly section: string
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly against?: Readonly<Record<string, number>>
  readonly verdict?: Verdict
  readonly remarks?: readonly string[]
  readonly raw?: Readonly<Record<string, number>>
}

export function figure({ against = {}, remarks = [], raw = {}, ...rest }: FigureParts): Figure {
  const comparisons = Object.entries(against).map(([name, value]) => ({ name, value, ratio: ratio(rest.value, value) }))
  return { ...rest, against: comparisons, remarks, raw }
}

/** For a figure that has to stay below. A figure that could not be measured keeps no budget. */
export function atMost(value: number, most: number, unit: string): Verdict {
  return { budget: `<= ${most} ${unit}`, met: value <= most }
}

/** For a share of a reference. */
export function atLeast(share: number, least: number, reference: string): Verdict {
  return { budget: `>= ${least * 100} % of ${reference}`, met: share >= least }
}
