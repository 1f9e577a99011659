/** Requests on kept connections, one at a time on each: a reply that is whole is followed by the next request. */
import type { Socket } from 'node:net'
import type { HttpJob, Load } from './job.ts'
import { authorization, openLane } from './lane.ts'
import { Measure } from './measure.ts'
import { ReplyReader } from './reply-reader.ts'

export async function loadHttp(job: HttpJob): Promise<Load> {
  const measure = new Measure(job)
  const request = requestOf(job)
  const sockets: Socket[] = []
  try {
    for (let at = 0; at < job.connections; at += 1) {
      const socket = await openLane(job.port)
      sockets.push(socket)
      keepAsking(socket, request, measure)
    }
    return await measure.run()
  } finally {
    for (const socket of sockets) socket.destroy()
  }
}

function requestOf({ path, body, port, token }: HttpJob): Buffer {
  const text = body === undefined ? '' : JSON.stringify(body)
  const typed = body === undefined ? [] : ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(text)}`]
  const head = [`${body === undefined ? 'GET' : 'POST'} ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`, ...authorization(token), ...typed]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${text}`)
}

function keepAsking(socket: Socket, request: Buffer, measure: Measure): void {
  const reader = new ReplyReader()
  let sentAt = performance.now()
  socket.on('error', (cause) => measure.broke(cause))
  socket.on('close', () => {
    if (measure.running) measure.broke(new Error('The server closed a connection under load'))
  })
  socket.on('data', (chunk) => {
    const reply = reader.take(chunk)
    if (!reply) return
    const now = performance.now()
    measure.took(now - sentAt)
    if (reply.status === 200) measure.replied(1)
    else measure.failed(`${reply.status} ${reply.body}`)
    sentAt = now
    if (measure.running) socket.write(request)
  })
  socket.write(request)
}
