/**
 * Whether memory is flat. Two statistics must agree, since each is blind to something: the slope does not see one step, and
 * two middles do not see a leak that has just begun. Both are of the robust kind: a single collection of garbage, or a second in
 * which the machine was busy, moves neither.
 */
import { median } from '../bench/statistics.ts'

export interface Point {
  readonly atSeconds: number
  readonly bytes: number
}

export interface Verdict {
  readonly isFlat: boolean
  /** The middle of all slopes between two points of the second half (Theil and Sen), in bytes an hour; and what it may be. */
  readonly slope: number
  readonly slopeAllowed: number
  /** How many times the middle of the second quarter that of the last is; and what it may be. */
  readonly growth: number
  readonly growthAllowed: number
}

const MIB = 1024 * 1024
const HOUR_SECONDS = 3_600
/**
 * What memory may drift by within the second half. V8 gives memory back in steps of some MB, and its young generation alone
 * moves between 1 and 16 MB: on a gateway that leaks nothing the fitted drift stayed below half of this. The load makes some 160
 * calls a second, so a leak of 200 bytes a call is found in ten minutes.
 */
const DRIFT_BYTES = 8 * MIB
/** For the same reason; and what fills once (caches, compiled code, pages of the database) belongs to the first quarter. */
const GROWTH_ALLOWED = 1.1

/** @param points of one run under a steady load, the oldest first. Without enough of them nothing is called flat. */
export function verdictOf(points: readonly Point[]): Verdict {
  const second = points.slice(Math.floor(points.length / 2))
  const seconds = (second.at(-1)?.atSeconds ?? 0) - (second[0]?.atSeconds ?? 0)
  const slope = slopeOf(second) * HOUR_SECONDS
  const slopeAllowed = (DRIFT_BYTES / seconds) * HOUR_SECONDS
  const growth = middleOfQuarter(points, 3) / middleOfQuarter(points, 1)
  return { isFlat: slope <= slopeAllowed && growth <= GROWTH_ALLOWED, slope, slopeAllowed, growth, growthAllowed: GROWTH_ALLOWED }
}

/** Bytes a second. NaN, which is below nothing, where there are no two points. */
function slopeOf(points: readonly Point[]): number {
  const slopes: number[] = []
  for (const [index, one] of points.entries()) {
    for (const other of points.slice(index + 1)) slopes.push((other.bytes - one.bytes) / (other.atSeconds - one.atSeconds))
  }
  return median(slopes)
}

function middleOfQuarter(points: readonly Point[], quarter: number): number {
  const [from, to] = [quarter, quarter + 1].map((at) => Math.floor((points.length * at) / 4))
  return median(points.slice(from, to).map(({ bytes }) => bytes))
}
