/**
 * The same load on several targets, one after the other, several times round: what disturbs the machine for a while disturbs
 * all of them. Each target's middle round is what counts.
 */
import { availableParallelism } from 'node:os'
import type { Load } from './job.ts'
import { median } from './statistics.ts'

/** What a target came to. */
export interface Tally {
  readonly perSecond: number
  /** Processor time of the server for each reply, in microseconds. */
  readonly cpuMicros: number
  /** Share of one core; the client's highest. */
  readonly clientCpu: number
  /** Cores that everybody else had; the most in any round. */
  readonly otherCores: number
  readonly failures: number
  readonly failure: string | undefined
  readonly latencies: readonly number[]
  readonly firsts: readonly number[]
}

/** Past this share of its one core the client, not the server, is what limits. */
const CLIENT_LIMITS = 0.9
/** Server and client keep a core each busy. On two cores the system's own work beside them stays below this. */
const CORES_IN_USE = 2
export const SPARE_CORES = 0.25

export async function inTurns<Name extends string>(rounds: number, targets: Readonly<Record<Name, () => Promise<Load>>>): Promise<Record<Name, Tally>> {
  const loads = new Map<Name, Load[]>()
  // The names of the record are its keys.
  const names = Object.keys(targets) as Name[]
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) loads.set(name, [...(loads.get(name) ?? []), await targets[name]()])
  }
  return Object.fromEntries(names.map((name) => [name, tally(loads.get(name) ?? [])])) as Record<Name, Tally>
}

export function tally(loads: readonly Load[]): Tally {
  return {
    perSecond: median(loads.map(({ count, seconds }) => count / seconds)),
    cpuMicros: median(loads.map(({ count, serverCpu }) => (serverCpu * 1e6) / count)),
    clientCpu: Math.max(...loads.map(({ clientCpu }) => clientCpu)),
    otherCores: Math.max(...loads.map(({ otherCores }) => otherCores)),
    failures: loads.reduce((sum, { failures }) => sum + failures, 0),
    failure: loads.find(({ failure }) => failure !== undefined)?.failure,
    latencies: loads.flatMap(({ latencies }) => latencies),
    firsts: loads.flatMap(({ firsts }) => firsts),
  }
}

export function isClientBound({ clientCpu }: Tally): boolean {
  return clientCpu > CLIENT_LIMITS
}

/** Whether other programs held cores that server and client wanted: a rate then says something of them too. */
export function isContested({ otherCores }: Tally, cores: number = availableParallelism()): boolean {
  return otherCores > Math.max(0, cores - CORES_IN_USE) + SPARE_CORES
}

/** What a reader has to know to judge a throughput. */
export function remarksOn(one: Tally): string[] {
  const limited = isClientBound(one) ? [`the load client limits (${Math.round(one.clientCpu * 100)} % of its core)`] : []
  const failed = one.failures > 0 ? [`${one.failures} FAILED: ${one.failure ?? ''}`] : []
  const { cpuMicros } = one
  const each = cpuMicros < 1000 ? `${cpuMicros.toFixed(1)} us` : `${(cpuMicros / 1000).toFixed(1)} ms`
  return [`${each} of processor each`, ...limited, ...failed]
}

export function rawOf({ perSecond, cpuMicros, clientCpu, otherCores, failures }: Tally): Record<string, number> {
  return { perSecond, cpuMicros, clientCpu, otherCores, failures }
}
