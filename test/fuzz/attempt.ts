/**
 * One property tried: on inputs of a seed, for a count or a time, with what came of it in words. A failure is shrunk to the
 * smallest input that still fails and told with the command that tries exactly that one again.
 */
import fc from 'fast-check'
import { titleOf, type Opening, type Property, type Subject } from './property.ts'

export interface Effort {
  readonly seed: number
  readonly runs: number
  /** No new input after this many milliseconds, smaller ones of a failure included. */
  readonly ms: number
  /** One input, as a failure named it. */
  readonly path?: string
}

export interface Attempt {
  readonly tried: number
  /** Absent where the property held. */
  readonly failure?: string
  /** Resident bytes of what was fuzzed: once it was warm, and at the end. */
  readonly warmBytes: number
  readonly endBytes: number
}

/** Inputs after which code is compiled and caches are filled. */
const WARM = 100
/** Longer texts are told in part. */
const SHOWN = 1_500

export async function attempt(subject: Subject, opening: Opening, one: Property, effort: Effort): Promise<Attempt> {
  let tried = 0
  let warmBytes = 0
  const holds = async (input: unknown) => {
    await one.holds(input)
    tried += 1
    if (tried === WARM) warmBytes = await subject.residentBytes()
  }
  const { seed, runs, ms, path } = effort
  const outcome = await fc.check(fc.asyncProperty(one.cases, holds), {
    seed,
    numRuns: runs,
    interruptAfterTimeLimit: ms,
    ...(path !== undefined && { path }),
  })
  const endBytes = await subject.residentBytes().catch(() => 0)
  const base = { tried, warmBytes: warmBytes === 0 ? endBytes : warmBytes, endBytes }
  return outcome.failed ? { ...base, failure: told(outcome, opening, one) } : base
}

function told(outcome: fc.RunDetails<[unknown]>, opening: Opening, { name }: Property): string {
  const { seed, counterexample, counterexamplePath, errorInstance, numShrinks } = outcome
  const only = `${titleOf(opening)}/${name}`
  return [
    `${only} does not hold: ${errorInstance instanceof Error ? errorInstance.message : String(errorInstance)}`,
    `input, after ${numShrinks} steps of shrinking: ${shortened(counterexample === null ? 'none' : fc.stringify(counterexample[0]))}`,
    `again: npm run fuzz -- --only ${only} --seed ${seed} --path ${counterexamplePath ?? '0'}`,
    `with all that came before it: npm run fuzz -- --only ${only} --seed ${seed}`,
  ].join('\n')
}

function shortened(text: string): string {
  return text.length > SHOWN ? `${text.slice(0, SHOWN)} ... (${text.length} characters)` : text
}
