/**
 * Resident memory of a gateway of its own: freshly started, after ten thousand calls, left alone for a while, and with thousands
 * of silent sockets. The first one after a clone is shown beside it: it has stripped the types of its sources itself.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { atMost, figure, type Figure } from './figure.ts'
import { Gateway } from './gateway.ts'
import { residentBytes } from './process-usage.ts'
import type { Stage } from './stage.ts'

const SECTION = 'Memory'
const BUDGET = { idleMb: 100, busyMb: 130, socketKb: 8 }
const CALLS = 10_000
const SOCKETS = 5_000
const MB = 1024 * 1024
/** It is settled when it has not moved by more than this share in a look, or after so many looks. */
const LOOK = { everyMs: 300, share: 0.002, most: 15 }

/** V8 makes a heap smaller that nobody uses: it looks every 8 s, and twice before it believes it. */
const LEFT_ALONE_MS = 20_000

export async function memorySection(stage: Stage): Promise<Figure[]> {
  const first = await firstAfterClone(stage)
  const { tree, config, client, profileTo } = stage
  const gateway = await Gateway.start({ tree, config, profileTo })
  const { port, pid, token } = gateway
  try {
    const idle = await settled(pid)
    const { count } = await client.ask({ kind: 'rpc', port, pid, token, sockets: 4, inFlight: 8, warmSeconds: 0, seconds: 20, calls: CALLS })
    const busy = await settled(pid)
    await pause(LEFT_ALONE_MS)
    const alone = await settled(pid)
    await client.ask({ kind: 'hold', port, pid, token, sockets: SOCKETS })
    const holding = await settled(pid)
    const each = (holding - alone) / SOCKETS / 1024
    await client.ask({ kind: 'hold', port, pid, token, sockets: 0 })
    return [
      figure({ section: SECTION, name: 'resident, idle', value: idle / MB, unit: 'MB', verdict: atMost(idle / MB, BUDGET.idleMb, 'MB') }),
      figure({ section: SECTION, name: `resident, after ${count} calls`, value: busy / MB, unit: 'MB', against: { idle: idle / MB }, verdict: atMost(busy / MB, BUDGET.busyMb, 'MB') }),
      figure({ section: SECTION, name: `resident, left alone for ${LEFT_ALONE_MS / 1000} s after them`, value: alone / MB, unit: 'MB', against: { idle: idle / MB } }),
      figure({ section: SECTION, name: 'resident, idle, the first one after a clone', value: first / MB, unit: 'MB', against: { idle: idle / MB } }),
      figure({ section: SECTION, name: 'each idle WebSocket', value: each, unit: 'KB', verdict: atMost(each, BUDGET.socketKb, 'KB'), remarks: [`${SOCKETS} open, ${Math.round(holding / MB)} MB resident`] }),
    ]
  } finally {
    await gateway.stop()
  }
}

async function firstAfterClone({ tree, config }: Stage): Promise<number> {
  tree.chill()
  const gateway = await Gateway.start({ tree, config })
  try {
    return await settled(gateway.pid)
  } finally {
    await gateway.stop()
  }
}

async function settled(pid: number): Promise<number> {
  let before = residentBytes(pid)
  for (let look = 0; look < LOOK.most; look += 1) {
    await pause(LOOK.everyMs)
    const now = residentBytes(pid)
    if (Math.abs(now - before) <= before * LOOK.share) return now
    before = now
  }
  return before
}
