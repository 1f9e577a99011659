/**
 * `npm run soak`: keeps a gateway busy with a steady load for ten minutes (or `--minutes N`) and says whether its memory is
 * flat. A line every ten seconds, a verdict at the end; exits with 1 where memory grew, an answer was not as expected, or the
 * gateway ended.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { median } from '../bench/statistics.ts'
import { startGateway, type StartedGateway } from '../main-job/started.ts'
import { runLanes, type Tally } from './lanes.ts'
import { samplesIn, type Sample } from './samples.ts'
import { verdictOf, type Verdict } from './verdict.ts'

const MIB = 1024 * 1024
const LINE_SECONDS = 10
const DEFAULT_MINUTES = 10
/** Below this there is no second half to speak of. */
const LEAST_MINUTES = 0.5
/**
 * The first quarter warms up, at this many times the pace: V8 lets the heap grow until it thinks that collecting it is worth
 * while, and the runs that are kept grow to their bound. At the plain pace both take a minute and a half.
 */
const WARM_UP = { share: 1 / 4, speed: 4 }
/** The limits of a stranger's client would stop the load; what they count is counted all the same. */
const CONFIG = 'gateway: { limits: { requestsPerMinute: 0, callsPerMinute: 0, connections: 0 } }\n'
const COLUMNS = ['time', 'calls', 'resident MB', 'heap MB', 'external MB', 'resources', 'files', 'delay p99 ms', 'store MB'] as const

const minutes = readMinutes()
const folder = mkdtempSync(join(tmpdir(), 'isopod-soak-'))
const witnessed = join(folder, 'samples')
const env = { NODE_OPTIONS: `--import=${new URL('./witness.mjs', import.meta.url).href}`, SOAK_WITNESS: witnessed }
const gateway = await startGateway({ config: CONFIG, env })
const tally: Tally = { done: new Map(), odd: new Map() }
try {
  const ended = gateway.ended().then(() => 'ended' as const)
  const outcome = await Promise.race([soak(gateway), ended])
  process.exitCode = outcome === 'ended' ? fail(`The gateway ended:\n${gateway.printed}`) : report(outcome)
} finally {
  await gateway.remove()
  rmSync(folder, { recursive: true, force: true })
}

async function soak({ url, token, home }: StartedGateway): Promise<Verdict> {
  console.log(COLUMNS.join('  '))
  const over = new AbortController()
  const warmUntil = performance.now() + minutes * 60_000 * WARM_UP.share
  const speed = () => (performance.now() < warmUntil ? WARM_UP.speed : 1)
  const load = runLanes({ target: { url, token }, tally, speed, signal: over.signal })
  for (let seconds = LINE_SECONDS; seconds <= minutes * 60; seconds += LINE_SECONDS) {
    // The load ends only when it is told to, unless it cannot begin.
    await Promise.race([pause(LINE_SECONDS * 1000), load])
    console.log(line(seconds, samplesIn(witnessed).slice(-LINE_SECONDS), home))
  }
  const points = samplesIn(witnessed).map(({ atSeconds, residentBytes }) => ({ atSeconds, bytes: residentBytes }))
  over.abort()
  await load
  return verdictOf(points)
}

function line(seconds: number, samples: readonly Sample[], home: string): string {
  const of = (pick: (sample: Sample) => number) => median(samples.map(pick))
  const figures = [
    [...tally.done.values()].reduce((sum, count) => sum + count, 0),
    megabytes(of(({ residentBytes }) => residentBytes)),
    megabytes(of(({ heapBytes }) => heapBytes)),
    megabytes(of(({ externalBytes }) => externalBytes)),
    of(({ resources }) => resources),
    of(({ descriptors }) => descriptors),
    of(({ delayMs }) => delayMs).toFixed(1),
    megabytes(storeBytes(home)),
  ]
  const cells = [`${seconds} s`, ...figures.map(String)]
  return cells.map((cell, index) => cell.padStart(COLUMNS[index]?.length ?? 0)).join('  ')
}

function report({ isFlat, slope, slopeAllowed, growth, growthAllowed }: Verdict): number {
  console.log(`\n${[...tally.done].map(([lane, count]) => `${lane} ${count}`).join(', ')}`)
  for (const [what, count] of tally.odd) console.log(`not as expected, ${count} times: ${what}`)
  console.log(`Resident memory, second half: ${signed(slope)} MB an hour (robust slope; up to ${megabytes(slopeAllowed)} allowed). `
    + `Last quarter: ${growth.toFixed(3)} of the second (middles; up to ${growthAllowed} allowed)`)
  console.log(isFlat ? 'Memory is flat' : 'Memory is not flat')
  return isFlat && tally.odd.size === 0 ? 0 : 1
}

function fail(why: string): number {
  console.error(why)
  return 1
}

/** The database with the log beside it. */
function storeBytes(home: string): number {
  return ['isopod.db', 'isopod.db-wal'].reduce((sum, name) => sum + (statSync(join(home, name), { throwIfNoEntry: false })?.size ?? 0), 0)
}

function megabytes(bytes: number): string {
  return (bytes / MIB).toFixed(1)
}

function signed(bytes: number): string {
  return `${bytes < 0 ? '' : '+'}${megabytes(bytes)}`
}

function readMinutes(): number {
  try {
    const { minutes: given = DEFAULT_MINUTES } = parseArgs({ options: { minutes: { type: 'string' } } }).values
    if (Number(given) >= LEAST_MINUTES) return Number(given)
    throw new Error(`--minutes takes a number from ${LEAST_MINUTES}, not ${given}`)
  } catch (thrown) {
    console.error(`${(thrown as Error).message}\nnpm run soak -- [--minutes N], ${DEFAULT_MINUTES} unless said`)
    return process.exit(2)
  }
}
