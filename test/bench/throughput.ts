/**
 * The figures of a load that gateway and references bear in turn: so many a second. Where the client is what limits a
 * reference, its rate flatters the gateway, so that the budget is then held against processor time for each reply.
 */
import { atLeast, figure, type Figure } from './figure.ts'
import { isClientBound, rawOf, remarksOn, type Tally } from './turns.ts'
import { ratio } from './statistics.ts'

export interface ThroughputParts {
  readonly section: string
  readonly name: string
  readonly gateway: Tally
  readonly raw: Tally
  readonly others: Readonly<Record<string, Tally>>
  /** Share of raw uWebSockets the gateway has to reach. */
  readonly least: number
}

export function throughput({ section, name, gateway, raw, others, least }: ThroughputParts): Figure[] {
  const all = { 'raw uWS': raw, ...others }
  const rates = Object.fromEntries(Object.entries(all).map(([of, { perSecond }]) => [of, perSecond]))
  const byRate = ratio(gateway.perSecond, raw.perSecond)
  const byCpu = ratio(raw.cpuMicros, gateway.cpuMicros)
  const isLimited = isClientBound(raw)
  const share = isLimited ? byCpu : byRate
  const verdict = atLeast(share, least, isLimited ? 'raw uWS by processor time' : 'raw uWS')
  const rows = Object.entries(all).map(([of, one]) => figure({ section, name: `  ${of}`, value: one.perSecond, unit: '/s', remarks: remarksOn(one), raw: rawOf(one) }))
  const cpu = figure({
    section,
    name: 'processor time of each',
    value: gateway.cpuMicros,
    unit: 'us',
    against: Object.fromEntries(Object.entries(all).map(([of, { cpuMicros }]) => [of, cpuMicros])),
    remarks: [`${Math.round(byCpu * 100)} % of raw uWS by processor time`],
  })
  return [figure({ section, name, value: gateway.perSecond, unit: '/s', against: rates, verdict, remarks: remarksOn(gateway), raw: rawOf(gateway) }), cpu, ...rows]
}
