/**
 * Puts newcomers and those who stay into a trial generation. Conflicts surface here, before anything has started. What runs
 * keeps running: a newcomer who is in its way is left out with the reason, and the predecessor it would have replaced stays
 * in its place. Whoever needs what is no longer there goes too.
 */
import { assemble, type Generation } from '../generation.ts'
import type { Instance } from '../instance.ts'
import { missingNeed } from './load.ts'

/** Who may be in the next generation. */
export interface Candidates {
  readonly kept: readonly Instance[]
  readonly newcomers: readonly Instance[]
  /** The running instance a newcomer of that id would replace. */
  readonly predecessors: ReadonlyMap<string, Instance>
}

/** Why a trial cannot stand, and who is part of it. */
interface Trouble {
  readonly reason: string
  readonly between: readonly [Instance, ...Instance[]]
}

/**
 * Assembles until nothing conflicts.
 * @param failures who is left out already, and why; those that are left out here are added.
 */
export function tryOut(candidates: Candidates, failures: Map<Instance, string>, number: number): Generation {
  for (;;) {
    const { generation, trouble } = trial(candidates, failures, number)
    if (!trouble) return generation
    failures.set(whoYields(trouble, candidates, failures), trouble.reason)
  }
}

function trial(candidates: Candidates, failures: ReadonlyMap<Instance, string>, number: number): { generation: Generation; trouble: Trouble | undefined } {
  const members = membersOf(candidates, failures)
  const { generation, problems } = assemble(members, number)
  return { generation, trouble: lackOf(members) ?? problems[0] }
}

function membersOf({ kept, newcomers, predecessors }: Candidates, failures: ReadonlyMap<Instance, string>): readonly Instance[] {
  const wanted = newcomers.map((one) => (failures.has(one) ? predecessors.get(one.id) : one))
  return [...kept, ...wanted].filter((one) => one !== undefined && !failures.has(one)) as Instance[]
}

/** The first of them whose needs the others do not meet. */
function lackOf(members: readonly Instance[]): Trouble | undefined {
  const present = new Map(members.map((one) => [one.id, one.version]))
  for (const one of members) {
    const reason = missingNeed(one.manifest, present)
    if (reason !== undefined) return { reason, between: [one] }
  }
  return undefined
}

/**
 * Who leaves so that the others can stand. A newcomer among those in trouble, if there is one: the last in the order of
 * ids, but never one of this repository before a stranger, so that nobody can push it out by his name, and never the
 * kernel's own. Where only running
 * ones are in trouble, a replacement that brought it about; where there is none, what they had is gone and so are they.
 */
function whoYields(trouble: Trouble, candidates: Candidates, failures: ReadonlyMap<Instance, string>): Instance {
  const newcomers = trouble.between.filter((one) => candidates.newcomers.includes(one))
  const last = newcomers.findLast((one) => !one.builtIn) ?? newcomers.findLast((one) => one.id !== 'kernel')
  return last ?? culprit(trouble, candidates, failures) ?? trouble.between[0]
}

/** The first replacement without which the trouble would not be there. */
function culprit({ reason }: Trouble, candidates: Candidates, failures: ReadonlyMap<Instance, string>): Instance | undefined {
  const { newcomers, predecessors } = candidates
  return newcomers.find((one) => {
    if (failures.has(one) || !predecessors.has(one.id)) return false
    const { trouble } = trial(candidates, new Map([...failures, [one, reason]]), 0)
    return trouble?.reason !== reason
  })
}
