/**
 * Who had the machine's cores while something was measured: the gateway, the two processes of the bench that make its load,
 * and everybody else. A latency says something of the gateway only as long as there was a core free for it.
 */
import { availableParallelism } from 'node:os'
import { busySeconds, cpuSeconds } from './process-usage.ts'

export interface Cores {
  /** Cores each process had, by its name; NaN where the system does not tell. */
  readonly each: Readonly<Record<string, number>>
  /** Cores everybody else had: other programs, and the system's own work. */
  readonly others: number
}

/** Watches from here to the call of what it answers. The processes must live until then. */
export function watchCores(processes: Readonly<Record<string, number>>): () => Cores {
  const began = performance.now()
  const busyBefore = busySeconds()
  const before = Object.entries(processes).map(([name, pid]) => [name, pid, cpuSeconds(pid)] as const)
  return () => {
    const seconds = (performance.now() - began) / 1000
    const each = Object.fromEntries(before.map(([name, pid, then]) => [name, (cpuSeconds(pid) - then) / seconds]))
    const known = Object.values(each).reduce((sum, cores) => sum + cores, 0)
    return { each, others: Math.max(0, (busySeconds() - busyBefore) / seconds - known) }
  }
}

/** As a remark. */
export function coresTold({ each, others }: Cores): string {
  const shares = Object.entries({ ...each, others }).map(([name, cores]) => `${name} ${cores.toFixed(2)}`)
  return `of ${availableParallelism()} cores ${shares.join(', ')}`
}
