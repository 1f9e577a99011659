/** A TCP connection of the load client, opened, and upgraded to a WebSocket where that is wanted. Knows no load. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Job } from './job.ts'

/** On loopback an answer that has not come by now does not come. */
const PATIENCE_MS = 10_000
/** The example key of RFC 6455, 1.3: a server must take any. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

export interface Upgraded {
  readonly socket: Socket
  /** What came behind the head of the reply already. */
  readonly early: Buffer
}

/** Rejects where the connection is refused. */
export async function openLane(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect', { signal: AbortSignal.timeout(PATIENCE_MS) })
  return socket
}

/** Rejects with what the server said where it does not upgrade. */
export async function openSocket({ port, token }: Pick<Job, 'port' | 'token'>): Promise<Upgraded> {
  const socket = await openLane(port)
  const head = ['GET / HTTP/1.1', `Host: 127.0.0.1:${port}`, 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${KEY}`]
  socket.write([...head, ...authorization(token), '', ''].join('\r\n'))
  const reply = await headOf(socket)
  if (!reply.head.startsWith('HTTP/1.1 101 ')) throw new Error(`The upgrade was refused: ${reply.head.slice(0, 300)}`)
  return { socket, early: reply.rest }
}

export function authorization(token: string | undefined): readonly string[] {
  return token === undefined ? [] : [`Authorization: Bearer ${token}`]
}

async function headOf(socket: Socket): Promise<{ readonly head: string; readonly rest: Buffer }> {
  let bytes: Buffer = Buffer.alloc(0)
  for (;;) {
    // A socket without an encoding gives buffers, one to each event.
    const [chunk] = (await once(socket, 'data', { signal: AbortSignal.timeout(PATIENCE_MS) })) as [Buffer]
    bytes = Buffer.concat([bytes, chunk])
    const end = bytes.indexOf('\r\n\r\n')
    if (end < 0) continue
    socket.pause()
    return { head: bytes.toString('latin1', 0, end), rest: bytes.subarray(end + 4) }
  }
}
