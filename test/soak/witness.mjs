// Looks at a gateway from inside, once a second, and writes a line about it into the file that SOAK_WITNESS names. It is put
// before the gateway by NODE_OPTIONS, so that it starts as everybody's does. The line is a `Sample` of samples.ts.
import { appendFileSync, readdirSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'

const EVERY_MS = 1_000
/** The delay is that of a timer of this period, and contains it. */
const PERIOD_MS = 10
const NANOSECONDS = 1e6
const file = process.env.SOAK_WITNESS
// Threads and children of a gateway are started with the same options.
delete process.env.NODE_OPTIONS
delete process.env.SOAK_WITNESS

if (isMainThread && file) {
  const delay = monitorEventLoopDelay({ resolution: PERIOD_MS })
  delay.enable()
  setInterval(() => {
    appendFileSync(file, `${JSON.stringify(look(delay))}\n`)
    delay.reset()
  }, EVERY_MS).unref()
}

function look(delay) {
  const { rss, heapUsed, external } = process.memoryUsage()
  return {
    atSeconds: performance.now() / 1000,
    residentBytes: rss,
    heapBytes: heapUsed,
    externalBytes: external,
    resources: process.getActiveResourcesInfo().length,
    descriptors: openDescriptors(),
    delayMs: Math.max(0, delay.percentile(99) / NANOSECONDS - PERIOD_MS),
  }
}

function openDescriptors() {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return 0
  }
}
