/**
 * The order in which taps are asked: plugins by id, each one's taps in their own order, and `before` where it is said.
 * tapable's own `before` looks only at what is tapped already, so that the order would depend on who came first; here all
 * taps are known, and what cannot be ordered is a problem with a name.
 */
import type { Problem } from './collector.ts'
import type { Instance } from './instance.ts'
import type { RecordedTap } from './recorder.ts'

export interface PlacedTap {
  readonly tap: RecordedTap
  readonly instance: Instance
}

/** @param taps of all hooks, sorted by plugin id. */
export function inOrder(taps: readonly PlacedTap[]): { placed: readonly PlacedTap[]; problems: readonly Problem[] } {
  const problems: Problem[] = []
  const placed: PlacedTap[] = []
  const left = [...taps]
  while (left.length > 0) {
    const next = left.findIndex((one) => !left.some((other) => other !== one && goesBefore(other, one)))
    if (next < 0) problems.push(circle(left))
    placed.push(...left.splice(Math.max(0, next), 1))
  }
  problems.push(...taps.filter((one) => lacksTarget(one, taps)).map(misplaced))
  return { placed, problems }
}

function goesBefore({ tap: first }: PlacedTap, { tap: second }: PlacedTap): boolean {
  return first.hook === second.hook && first.before === second.name && first.name !== second.name
}

function lacksTarget({ tap: { hook, before } }: PlacedTap, taps: readonly PlacedTap[]): boolean {
  return before !== undefined && !taps.some(({ tap }) => tap.hook === hook && tap.name === before)
}

function misplaced({ tap, instance }: PlacedTap): Problem {
  return { between: [instance], reason: `\`${instance.label}\` taps ${tap.hook} before ${tap.before}, which does not exist` }
}

/** Some of those left want to be before each other; following `before` from any of them leads into the circle. */
function circle(left: readonly PlacedTap[]): Problem {
  const seen: PlacedTap[] = []
  let one = left.find((each) => left.some((other) => goesBefore(each, other)))
  while (one && !seen.includes(one)) {
    seen.push(one)
    const from = one
    one = left.find((other) => goesBefore(from, other))
  }
  const round = one ? seen.slice(seen.indexOf(one)) : seen
  const [first, ...others] = [...new Set(round.map(({ instance }) => instance))].sort((a, b) => (a.id < b.id ? -1 : 1))
  const names = round.map(({ tap }) => tap.name).join(', ')
  // A circle has at least one tap in it.
  return { between: [first as Instance, ...others], reason: `the taps ${names} of ${round[0]?.tap.hook} each want to be before the next` }
}
