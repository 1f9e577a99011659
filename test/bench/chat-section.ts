/**
 * Chat completions through the gateway and straight from the same upstream. Paced as a model speaks, they show what the gateway
 * adds to the time of an answer; with all pieces at once, how many it carries in a second.
 */
import { coresTold, watchCores, type Cores } from './chat-cores.ts'
import { atMost, figure, type Figure } from './figure.ts'
import type { ChatJob } from './job.ts'
import type { Stage } from './stage.ts'
import { ratio, summary } from './statistics.ts'
import { inTurns, rawOf, remarksOn, SPARE_CORES, type Tally } from './turns.ts'
import { durationMs } from './upstream-answer.ts'

/**
 * So many at once, and the milliseconds between two pieces: more at once speak more slowly, so that the machine is not full.
 * 200 come twice. A piece each 50 ms are 210 new answers and 4,200 pieces a second, which two cores carry together with client
 * and upstream only just; each 100 ms are half of that, and closer to how quick a model speaks (10 pieces a second).
 */
const PACED = [{ concurrent: 1, gapMs: 2 }, { concurrent: 50, gapMs: 25 }, { concurrent: 200, gapMs: 50 }]
const CALMER = { concurrent: 200, gapMs: 100 }
const BURSTS = [50, 200, 1]
/** DESIGN section 7. */
const JUDGED_AT = 200
const BUDGET = { p50: 1, p99: 5 }

interface Shape {
  readonly concurrent: number
  readonly gapMs: number
  readonly stream: boolean
  readonly seconds: number
}

/** Bursts come first: they are also what warms the gateway. */
export async function chatSection(stage: Stage): Promise<Figure[]> {
  const figures: Figure[] = []
  const { seconds, isThorough } = stage.pace
  for (const concurrent of BURSTS) figures.push(burst(concurrent, await load(stage, { concurrent, gapMs: 0, stream: true, seconds })))
  for (const stream of isThorough ? [true, false] : [true]) {
    for (const { concurrent, gapMs } of stream ? [...PACED, CALMER] : PACED) {
      // At least two answers of each lane.
      const shape = { concurrent, gapMs, stream, seconds: Math.max(seconds * 1.5, (durationMs(gapMs) / 1000) * 2) }
      figures.push(...added(await load(stage, shape), shape))
    }
  }
  return figures
}

interface Pair extends Record<'gateway' | 'direct', Tally> {
  /** While the gateway was loaded, its warm-up included. */
  readonly cores: Cores
}

function burst(concurrent: number, { gateway, direct, cores }: Pair): Figure {
  const [own, other] = [summary(gateway.latencies), summary(direct.latencies)]
  return figure({
    section: 'Streams a second',
    name: `all pieces at once, ${concurrent} at a time`,
    value: gateway.perSecond,
    unit: '/s',
    against: { directly: direct.perSecond },
    remarks: [...remarksOn(gateway), coresTold(cores), `whole answer p50 ${own.p50.toFixed(1)} ms, directly ${other.p50.toFixed(1)} ms`],
    raw: { ...rawOf(gateway), p50: own.p50, p99: own.p99, directP50: other.p50, directP99: other.p99 },
  })
}

async function load({ pace, client, upstream, ...stage }: Stage, { concurrent, gapMs, stream, seconds }: Shape): Promise<Pair> {
  const model = `paced-${gapMs}`
  const spreadMs = durationMs(gapMs)
  const warmSeconds = Math.max(pace.warmSeconds, spreadMs / 1000)
  const job: Omit<ChatJob, 'port' | 'pid' | 'model'> = { kind: 'chat', concurrent, stream, spreadMs, warmSeconds, seconds }
  let cores: Cores = { each: {}, others: NaN }
  const tallies = await inTurns(1, {
    direct: () => client.ask({ ...job, port: upstream.port, pid: upstream.pid, model }),
    gateway: async () => {
      const { port, pid, token } = await stage.gateway()
      const watched = watchCores({ gateway: pid, client: client.pid, upstream: upstream.pid })
      const done = await client.ask({ ...job, port, pid, token, model: `bench/${model}` })
      cores = watched()
      return done
    },
  })
  return { ...tallies, cores }
}

/** What the gateway adds, as the difference of the two distributions at the same place. */
function added({ gateway, direct, cores }: Pair, { concurrent, gapMs, stream }: Shape): Figure[] {
  const [own, other] = [summary(gateway.latencies), summary(direct.latencies)]
  const first = summary(gateway.firsts).p50 - summary(direct.firsts).p50
  const isJudged = stream && concurrent === JUDGED_AT
  // Nothing but the clock can judge a delay, so whoever reads the verdict is told what else it measured.
  const held = isJudged && cores.others > SPARE_CORES ? [`judged by the clock, while other programs held ${cores.others.toFixed(1)} cores`] : []
  return (['p50', 'p99'] as const).map((place) => {
    const value = own[place] - other[place]
    const told = stream ? [`first piece p50 +${first.toFixed(1)} ms`] : []
    const whole = place === 'p50' ? [`${Math.round(gateway.perSecond)} answers/s of ${Math.round(direct.perSecond)}`, ...told, ...remarksOn(gateway), coresTold(cores)] : []
    const compared = { name: 'directly', value: other[place], ratio: ratio(own[place], other[place]) }
    const verdict = isJudged ? { verdict: atMost(value, BUDGET[place], 'ms') } : {}
    const section = stream ? 'Latency added, streamed' : 'Latency added, not streamed'
    const name = `${concurrent} at a time, a piece each ${gapMs} ms, ${place}`
    const raw = { ...rawOf(gateway), gateway: own[place], direct: other[place], samples: own.count, ...coresRaw(cores), ...(stream && { firstPieceAdded: first }) }
    return { ...figure({ section, name, value, unit: 'ms more', remarks: [...held, ...whole], raw, ...verdict }), against: [compared] }
  })
}

function coresRaw({ each, others }: Cores): Record<string, number> {
  return Object.fromEntries(Object.entries({ ...each, other: others }).map(([name, cores]) => [`${name}Cores`, cores]))
}
