/**
 * Chat completions through the gateway and straight from the same upstream. Paced as a model speaks, they show what the gateway
 * adds to the time of an answer; with all pieces at once, how many it carries in a second.
 */
import { atMost, figure, type Figure } from './figure.ts'
import type { ChatJob } from './job.ts'
import type { Stage } from './stage.ts'
import { ratio, summary } from './statistics.ts'
import { inTurns, rawOf, remarksOn, type Tally } from './turns.ts'
import { durationMs } from './upstream-answer.ts'

/** So many at once, and the milliseconds between two pieces: more at once speak more slowly, so that the machine is not full. */
const PACED = [{ concurrent: 1, gapMs: 2 }, { concurrent: 50, gapMs: 25 }, { concurrent: 200, gapMs: 50 }]
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
  const { seconds } = stage.pace
  for (const concurrent of BURSTS) figures.push(burst(concurrent, await load(stage, { concurrent, gapMs: 0, stream: true, seconds })))
  for (const stream of [true, false]) {
    for (const { concurrent, gapMs } of PACED) {
      // At least two answers of each lane.
      const shape = { concurrent, gapMs, stream, seconds: Math.max(seconds * 1.5, (durationMs(gapMs) / 1000) * 2) }
      figures.push(...added(await load(stage, shape), shape))
    }
  }
  return figures
}

type Pair = Record<'gateway' | 'direct', Tally>

function burst(concurrent: number, { gateway, direct }: Pair): Figure {
  const [own, other] = [summary(gateway.latencies), summary(direct.latencies)]
  return figure({
    section: 'Streams a second',
    name: `all pieces at once, ${concurrent} at a time`,
    value: gateway.perSecond,
    unit: '/s',
    against: { directly: direct.perSecond },
    remarks: [...remarksOn(gateway), `whole answer p50 ${own.p50.toFixed(1)} ms, directly ${other.p50.toFixed(1)} ms`],
    raw: { ...rawOf(gateway), p50: own.p50, p99: own.p99, directP50: other.p50, directP99: other.p99 },
  })
}

function load({ pace, client, upstream, ...stage }: Stage, { concurrent, gapMs, stream, seconds }: Shape) {
  const model = `paced-${gapMs}`
  const spreadMs = durationMs(gapMs)
  const warmSeconds = Math.max(pace.warmSeconds, spreadMs / 1000)
  const job: Omit<ChatJob, 'port' | 'pid' | 'model'> = { kind: 'chat', concurrent, stream, spreadMs, warmSeconds, seconds }
  return inTurns(1, {
    direct: () => client.ask({ ...job, port: upstream.port, pid: upstream.pid, model }),
    gateway: async () => {
      const { port, pid, token } = await stage.gateway()
      return client.ask({ ...job, port, pid, token, model: `bench/${model}` })
    },
  })
}

/** What the gateway adds, as the difference of the two distributions at the same place. */
function added({ gateway, direct }: Pair, { concurrent, gapMs, stream }: Shape): Figure[] {
  const [own, other] = [summary(gateway.latencies), summary(direct.latencies)]
  const first = summary(gateway.firsts).p50 - summary(direct.firsts).p50
  return (['p50', 'p99'] as const).map((place) => {
    const value = own[place] - other[place]
    const told = stream ? [`first piece p50 +${first.toFixed(1)} ms`] : []
    const remarks = place === 'p50' ? [`${Math.round(gateway.perSecond)} answers/s of ${Math.round(direct.perSecond)}`, ...told, ...remarksOn(gateway)] : []
    const compared = { name: 'directly', value: other[place], ratio: ratio(own[place], other[place]) }
    const verdict = stream && concurrent === JUDGED_AT ? { verdict: atMost(value, BUDGET[place], 'ms') } : {}
    const section = stream ? 'Latency added, streamed' : 'Latency added, not streamed'
    const name = `${concurrent} at a time, a piece each ${gapMs} ms, ${place}`
    const raw = { ...rawOf(gateway), gateway: own[place], direct: other[place], samples: own.count, ...(stream && { firstPieceAdded: first }) }
    return { ...figure({ section, name, value, unit: 'ms more', remarks, raw, ...verdict }), against: [compared] }
  })
}
