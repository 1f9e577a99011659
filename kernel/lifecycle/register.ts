/**
 * Puts newcomers and those who stay into a trial generation. Conflicts surface here, before anything has started; whoever
 * causes one is left out with the reason, a predecessor it would have replaced stays in its place, and whoever needs what
 * was left out goes too.
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

/**
 * Assembles until nothing conflicts.
 * @param failures who is left out already, and why; those that are left out here are added.
 */
export function tryOut(candidates: Candidates, failures: Map<Instance, string>, number: number): Generation {
  for (;;) {
    const members = membersOf(candidates, failures)
    const { generation, problems } = assemble(members, number)
    const lacking = members.find((one) => needOf(one, members) !== undefined)
    if (lacking) {
      failures.set(lacking, needOf(lacking, members) ?? '')
      continue
    }
    const problem = problems[0]
    if (!problem) return generation
    // Of two in a conflict the newcomer yields; between two newcomers, the later in the order of ids.
    const blamed = members.find((one) => one.id === problem.pluginId)
    const other = candidates.newcomers.find((one) => members.includes(one) && problem.reason.includes(`\`${one.label}\``))
    const yields = blamed && !candidates.newcomers.includes(blamed) && other ? other : blamed
    if (!yields) throw new Error(`a conflict nobody is part of: ${problem.reason}`)
    failures.set(yields, problem.reason)
  }
}

function membersOf({ kept, newcomers, predecessors }: Candidates, failures: ReadonlyMap<Instance, string>): readonly Instance[] {
  const wanted = newcomers.map((one) => (failures.has(one) ? predecessors.get(one.id) : one))
  return [...kept, ...wanted].filter((one) => one !== undefined && !failures.has(one)) as Instance[]
}

function needOf(instance: Instance, members: readonly Instance[]): string | undefined {
  return missingNeed(instance.manifest, new Map(members.map((one) => [one.id, one.version])))
}
