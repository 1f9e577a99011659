/** What was seen of a gateway each second, by the witness inside it. */
import { readFileSync } from 'node:fs'

export interface Sample {
  /** Since the process began. */
  readonly atSeconds: number
  readonly residentBytes: number
  readonly heapBytes: number
  readonly externalBytes: number
  /** Timers, sockets and requests that Node knows of. */
  readonly resources: number
  /** Open files and sockets; 0 where the system does not tell. */
  readonly descriptors: number
  /** How late the event loop woke during that second, 99th percentile. */
  readonly delayMs: number
}

/** All samples so far, the oldest first. A line that is being written is left out. */
export function samplesIn(file: string): Sample[] {
  const whole = readFileSync(file, 'utf8')
  return whole.slice(0, whole.lastIndexOf('\n') + 1).split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Sample)
}
