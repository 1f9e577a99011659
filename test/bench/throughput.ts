/**
 * The figures of a load that gateway and references bear in turn: so many a second, and processor time for each. The budget is
 * held against the rate, except where that says little of the gateway: where the client is what limits the reference, or other
 * programs held the cores. Both shares are told, and which of them was judged.
 */
import { atLeast, figure, type Figure } from './figure.ts'
import { isClientBound, isContested, rawOf, remarksOn, type Tally } from './turns.ts'
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
  const { measure, why } = judgedBy(gateway, raw)
  const verdict = atLeast(measure === 'rate' ? byRate : byCpu, least, `raw uWS by ${measure}`)
  const rows = Object.entries(all).map(([of, one]) => figure({ section, name: `  ${of}`, value: one.perSecond, unit: '/s', remarks: remarksOn(one), raw: rawOf(one) }))
  const cpu = figure({
    section,
    name: 'processor time of each',
    value: gateway.cpuMicros,
    unit: 'us',
    against: Object.fromEntries(Object.entries(all).map(([of, { cpuMicros }]) => [of, cpuMicros])),
    remarks: [`${percent(byRate)} of raw uWS by rate, ${percent(byCpu)} by processor time; judged by ${measure}: ${why}`],
    raw: { shareByRate: byRate, shareByProcessorTime: byCpu },
  })
  return [figure({ section, name, value: gateway.perSecond, unit: '/s', against: rates, verdict, remarks: remarksOn(gateway), raw: rawOf(gateway) }), cpu, ...rows]
}

/** What the budget is held against, and why that. Where the system does not tell processor time, it is the rate. */
export function judgedBy(gateway: Tally, raw: Tally): { readonly measure: 'rate' | 'processor time'; readonly why: string } {
  if (Number.isNaN(raw.cpuMicros)) return { measure: 'rate', why: 'this system does not tell processor time' }
  if (isClientBound(raw)) return { measure: 'processor time', why: 'the load client limits the reference' }
  const others = Math.max(gateway.otherCores, raw.otherCores)
  if (isContested(gateway) || isContested(raw)) return { measure: 'processor time', why: `other programs held ${others.toFixed(1)} cores` }
  return { measure: 'rate', why: 'the cores were free' }
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
