/**
 * The model provider that both the gateway and the load client ask: a process that answers at the pace the model's name says.
 * Pieces are sent by the time since the request, so that one that is late delays no other.
 */
import { createServer, type ServerResponse } from 'node:http'
import { listening } from './listening.ts'
import { durationMs, eventsOf, gapOf, wholeOf, type Asked } from './upstream-answer.ts'

const server = createServer(async (request, response) => {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  // The bench's own request, or the gateway's from it.
  const { model, stream } = JSON.parse(text) as Asked
  if (stream) sendPieces(response, eventsOf(model), gapOf(model))
  else setTimeout(() => sendWhole(response, wholeOf(model)), durationMs(gapOf(model)))
})

// 200 lanes open at once.
server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => listening(server))

function sendWhole(response: ServerResponse, body: string): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body)
}

function sendPieces(response: ServerResponse, events: readonly string[], gapMs: number): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const began = performance.now()
  const sendFrom = (at: number) => {
    const text = events[at]
    if (text === undefined || response.destroyed) return
    if (at === events.length - 1) response.end(text)
    else response.write(text)
    if (gapMs === 0) sendFrom(at + 1)
    else setTimeout(() => sendFrom(at + 1), began + gapMs * (at + 1) - performance.now())
  }
  sendFrom(0)
}
