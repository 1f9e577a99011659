/** WebSockets that are opened and then say nothing. They stay until the next such job, or the end of the client. */
import type { Socket } from 'node:net'
import type { HoldJob, Load } from './job.ts'
import { openSocket } from './lane.ts'

/** A server's queue of connections it has not accepted yet is a few hundred long. */
const AT_ONCE = 100

let held: Socket[] = []

/** Opens them all. Rejects where one is refused; `count` says how many are open. */
export async function hold({ sockets, port, token }: HoldJob): Promise<Load> {
  for (const socket of held) socket.destroy()
  held = []
  const began = performance.now()
  while (held.length < sockets) {
    const wanted = Math.min(AT_ONCE, sockets - held.length)
    const opened = await Promise.all(Array.from({ length: wanted }, () => openSocket({ port, ...(token !== undefined && { token }) })))
    for (const { socket } of opened) {
      socket.on('error', () => {})
      held.push(socket.resume())
    }
  }
  const seconds = (performance.now() - began) / 1000
  return { count: held.length, failures: 0, seconds, clientCpu: NaN, serverCpu: NaN, otherCores: NaN, latencies: [], firsts: [] }
}
