/**
 * What another process takes of the machine, as its operating system counts it: the memory that is resident, and the
 * processor time it has had. Linux tells both in /proc; elsewhere `ps` tells the memory only.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** The kernel counts processor time for programs in hundredths of a second, whatever its own clock does (proc(5), USER_HZ). */
const TICKS_PER_SECOND = 100

/** Resident memory in bytes. Throws where the process is gone. */
export function residentBytes(pid: number): number {
  if (process.platform !== 'linux') return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 1024
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  if (kilobytes === undefined) throw new Error(`The process ${pid} is gone`)
  return Number(kilobytes) * 1024
}

/** Processor time of all its threads so far, in seconds; NaN where the system does not tell. */
export function cpuSeconds(pid: number): number {
  if (process.platform !== 'linux') return NaN
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The program's name stands in parentheses and may hold spaces; what follows it are fields 3 and on.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** Processor time that the machine has given to anybody so far, in seconds, on all its cores. */
export function busySeconds(): number {
  return cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0) / 1000
}
