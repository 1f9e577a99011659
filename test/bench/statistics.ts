/**
 * What is made of many measurements: percentiles, middles and ratios. It keeps nothing, measures nothing, and knows no unit:
 * an answer has the unit of what went in.
 */

export interface Summary {
  readonly count: number
  readonly min: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/**
 * The nearest-rank percentile: the least sample that at least `share` (0 to 1) of the samples do not exceed. It is always one
 * of the samples, so that a few of them are never made to look smoother than they are. NaN where there are none.
 */
export function percentile(samples: readonly number[], share: number): number {
  return ranked(samples.toSorted(ascending), share)
}

export function summary(samples: readonly number[]): Summary {
  const sorted = samples.toSorted(ascending)
  const [p50, p99] = [ranked(sorted, 0.5), ranked(sorted, 0.99)]
  return { count: sorted.length, min: sorted[0] ?? NaN, p50, p99, max: sorted.at(-1) ?? NaN }
}

/** The middle sample, or the mean of the two in the middle. NaN where there are none. */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted(ascending)
  const half = sorted.length / 2
  const [low, high] = [sorted[Math.ceil(half) - 1] ?? NaN, sorted[Math.floor(half)] ?? NaN]
  return (low + high) / 2
}

/** How many times the reference. NaN where there is nothing to divide by. */
export function ratio(figure: number, reference: number): number {
  return reference === 0 ? NaN : figure / reference
}

function ranked(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN
}

function ascending(one: number, other: number): number {
  return one - other
}
