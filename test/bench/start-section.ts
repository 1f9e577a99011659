/** From the start of the process to the line that says it listens: with nothing kept from earlier starts, and with everything. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { atMost, figure, type Figure } from './figure.ts'
import { Gateway } from './gateway.ts'
import type { Stage } from './stage.ts'
import { summary } from './statistics.ts'

const SECTION = 'Start'
const BUDGET_MS = 300
/** The launcher writes what it keeps 3 s after a start, or when it ends; V8's own cache too. */
const SETTLED_MS = 200

export async function startSection(stage: Stage): Promise<Figure[]> {
  const { coldStarts, warmStarts } = stage.pace
  const bare = summary(await times(warmStarts, bareNode))
  const cold = summary(await times(coldStarts, () => {
    stage.tree.chill()
    return listening(stage)
  }))
  const warm = summary(await times(warmStarts, () => listening(stage)))
  const remarks = ({ min, max, count }: typeof warm) => [`${count} starts, ${Math.round(min)} to ${Math.round(max)} ms`]
  const against = { 'a bare Node': bare.p50 }
  return [
    figure({ section: SECTION, name: 'process start to listening', value: warm.p50, unit: 'ms', against, verdict: atMost(warm.p50, BUDGET_MS, 'ms'), remarks: remarks(warm), raw: { ...warm } }),
    figure({ section: SECTION, name: 'the first one after a clone, no caches', value: cold.p50, unit: 'ms', against, remarks: remarks(cold), raw: { ...cold } }),
  ]
}

async function times(count: number, once: () => Promise<number>): Promise<number[]> {
  const taken: number[] = []
  for (let at = 0; at < count; at += 1) taken.push(await once())
  return taken
}

async function listening({ tree, config }: Stage): Promise<number> {
  const gateway = await Gateway.start({ tree, config, isBare: true })
  await pause(SETTLED_MS)
  await gateway.stop()
  return gateway.startMs
}

/** A Node that prints one line. */
async function bareNode(): Promise<number> {
  const began = performance.now()
  const child = spawn(process.execPath, ['-e', 'console.log(1)'], { stdio: ['ignore', 'pipe', 'ignore'] })
  await once(child.stdout, 'data')
  const taken = performance.now() - began
  await once(child, 'exit')
  return taken
}
