/**
 * Puts newcomers and those who stay into a trial generation. Conflicts surface here, before anything has started. What runs
 * keeps running: a newcomer who is in its way is left out with the reason, and the predecessor it would have replaced stays
 * in its place. Whoever needs what is no longer there goes too. Nobody stays out for the sake of one that is out itself.
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

/** Why somebody is left out. */
export interface Failure {
  readonly reason: string
  /** Who could not stand together, the one that is left out among them; empty where it failed by itself, which is for good. */
  readonly between: readonly Instance[]
}

/** Why a trial cannot stand, and who is part of it. */
interface Trouble extends Failure {
  readonly between: readonly [Instance, ...Instance[]]
}

export type Failures = ReadonlyMap<Instance, Failure>

/**
 * Assembles until nothing conflicts, and then takes back everybody whose reason to be left out was left out later.
 * @param failures who is left out already, and why. Those that are left out here are added, those taken back removed.
 */
export function tryOut(candidates: Candidates, failures: Map<Instance, Failure>, number: number): Generation {
  for (;;) {
    const { trouble } = trial(candidates, failures, number)
    if (!trouble) break
    failures.set(whoYields(trouble, candidates, failures), trouble)
  }
  while ([...failures.keys()].some((one) => readmitted(one, candidates, failures))) {
    // Each round takes somebody back, and nobody is pushed out for it: there are as many rounds as plugins at most.
  }
  return trial(candidates, failures, number).generation
}

/** Takes back one that conflicts with nobody any more, alone or with those that are left out for each other's needs. */
function readmitted(one: Instance, candidates: Candidates, failures: Map<Instance, Failure>): boolean {
  const failure = failures.get(one)
  if (!failure || failure.between.length === 0) return false
  const { trouble } = trial(candidates, without(failures, [one]), 0)
  const back = trouble ? linked(one, failures) : [one]
  if (trouble && (back.length === 1 || trial(candidates, without(failures, back), 0).trouble)) {
    // What it conflicted with first may be out, and somebody else in its way.
    if (trouble.between.some((other) => other !== one) && !stands(one, failure, candidates, failures)) failures.set(one, trouble)
    return false
  }
  for (const each of back) failures.delete(each)
  return true
}

/** Whether those it conflicted with are still there. A need that is not met is looked at anew. */
function stands(one: Instance, { between }: Failure, candidates: Candidates, failures: Failures): boolean {
  const others = between.filter((other) => other !== one)
  const members = membersOf(candidates, failures)
  return others.length > 0 && others.every((other) => members.includes(other))
}

/** It and all that are left out, not for good, and need it or are needed by it, at whatever distance. */
function linked(one: Instance, failures: Failures): readonly Instance[] {
  const group = new Set([one])
  const others = [...failures].filter(([, { between }]) => between.length > 0).map(([other]) => other)
  for (const member of group) {
    for (const other of others) if (isNeed(other, member) || isNeed(member, other)) group.add(other)
  }
  return [...group]
}

function isNeed(one: Instance, other: Instance): boolean {
  return Object.hasOwn(one.manifest.needs, other.id)
}

function without(failures: Failures, back: readonly Instance[]): Failures {
  return new Map([...failures].filter(([one]) => !back.includes(one)))
}

function trial(candidates: Candidates, failures: Failures, number: number): { generation: Generation; trouble: Trouble | undefined } {
  const members = membersOf(candidates, failures)
  const { generation, problems } = assemble(members, number)
  return { generation, trouble: lackOf(members) ?? problems[0] }
}

function membersOf({ kept, newcomers, predecessors }: Candidates, failures: Failures): readonly Instance[] {
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
 * kernel's own. Where only running ones are in trouble, a replacement that brought it about; where there is none, what they
 * had is gone and so are they.
 */
function whoYields(trouble: Trouble, candidates: Candidates, failures: Failures): Instance {
  const newcomers = trouble.between.filter((one) => candidates.newcomers.includes(one))
  const last = newcomers.findLast((one) => !one.builtIn) ?? newcomers.findLast((one) => one.id !== 'kernel')
  return last ?? culprit(trouble, candidates, failures) ?? trouble.between[0]
}

/** The first replacement without which the trouble would not be there. */
function culprit(why: Trouble, candidates: Candidates, failures: Failures): Instance | undefined {
  const { newcomers, predecessors } = candidates
  return newcomers.find((one) => {
    if (failures.has(one) || !predecessors.has(one.id)) return false
    const { trouble } = trial(candidates, new Map([...failures, [one, why]]), 0)
    return trouble?.reason !== why.reason
  })
}
