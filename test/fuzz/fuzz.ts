/**
 * `npm run fuzz`: every property for as long as somebody has, on a seed that is drawn anew and printed. Prints what was tried; ends
 * with 1 where a property did not hold or memory grew past its bound, with the command that tries that input again.
 */
import { parseArgs } from 'node:util'
import { MIB } from '../faults/memory.ts'
import { attempt } from './attempt.ts'
import { calls } from './calls.ts'
import { configs } from './configs.ts'
import { framesOn } from './frames.ts'
import { manifests } from './manifests.ts'
import { titleOf, type Opening } from './property.ts'
import { requestsOn } from './requests.ts'

const OPENINGS: readonly Opening[] = [framesOn('uws'), framesOn('ws'), requestsOn('uws'), requestsOn('ws'), calls, configs, manifests]
const NOUNS = [...new Set(OPENINGS.map(({ noun }) => noun))]
const USAGE = `npm run fuzz -- [--minutes N] [--seed S] [--only ${NOUNS.join(',')}] [--path P]
--only also takes one property (frames/ws/talk), and --path one input of it, as a failure names them.`

/** Runs, sessions and caches that are kept fill up first; what grows past this beyond a warm gateway is a leak. */
const SLACK_BYTES = 192 * MIB
/** More than anybody has time for. */
const ENDLESS = 2 ** 31 - 1

const { minutes, seed, only, path } = readArguments()
const wanted = OPENINGS.filter((opening) => only.some((word) => word === opening.noun || `${word}/`.startsWith(`${titleOf(opening)}/`)))
if (wanted.length === 0) stop(`There is nothing called ${only.join(', ')} to fuzz`)
console.log(`seed ${seed}, ${minutes} minutes`)
let failures = 0
for (const opening of wanted) failures += await fuzz(opening, (minutes * 60_000) / wanted.length)
process.exitCode = failures === 0 ? 0 : 1

/** Tries a subject's properties one after the other, each for its share. Answers how many failed. */
async function fuzz(opening: Opening, shareMs: number): Promise<number> {
  const title = titleOf(opening)
  const subject = await opening.open()
  const chosen = subject.properties.filter(({ name }) => only.some((word) => word === opening.noun || word === title || word === `${title}/${name}`))
  let failed = chosen.length === 0 ? 1 : 0
  for (const one of chosen) {
    const began = performance.now()
    const runs = path === undefined ? ENDLESS : 1
    const { tried, failure, warmBytes, endBytes } = await attempt(subject, opening, one, { seed, runs, ms: shareMs / chosen.length, ...(path !== undefined && { path }) })
    const grown = endBytes - warmBytes
    const leak = grown > SLACK_BYTES ? `memory grew by ${mib(grown)} beyond a warm gateway` : undefined
    console.log(`${title}/${one.name}: ${tried} inputs in ${Math.round((performance.now() - began) / 1000)} s, ${mib(warmBytes)} resident when warm, ${mib(endBytes)} at the end`)
    for (const wrong of [failure, leak]) if (wrong !== undefined) console.log(wrong)
    if (failure !== undefined || leak !== undefined) failed += 1
  }
  return failed + (await closed(title, () => subject.close()))
}

/** What comes to light only at the end is a failure too. */
async function closed(title: string, close: () => Promise<void>): Promise<number> {
  try {
    await close()
    return 0
  } catch (thrown) {
    console.log(`${title}: ${(thrown as Error).message}`)
    return 1
  }
}

function mib(bytes: number): string {
  return `${Math.round(bytes / MIB)} MiB`
}

function stop(message: string): never {
  console.error(`${message}\n${USAGE}`)
  process.exit(2)
}

function readArguments(): { readonly minutes: number; readonly seed: number; readonly only: readonly string[]; readonly path?: string | undefined } {
  try {
    const options = { minutes: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' }, path: { type: 'string' } } as const
    const { values } = parseArgs({ options })
    const [forMinutes, from] = [Number(values.minutes ?? 10), Number(values.seed ?? Math.trunc(Math.random() * 2 ** 31))]
    if (!(forMinutes > 0)) throw new Error(`--minutes takes a number above 0, not ${values.minutes}`)
    if (!Number.isInteger(from)) throw new Error(`--seed takes a whole number, not ${values.seed}`)
    return { minutes: forMinutes, seed: from, only: values.only?.split(',') ?? NOUNS, path: values.path }
  } catch (thrown) {
    return stop((thrown as Error).message)
  }
}
