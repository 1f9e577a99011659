/** What node:http does with nothing in front of it: it answers every request with the body the gateway's `/health` has. */
import { createServer } from 'node:http'
import { listening } from './listening.ts'

const server = createServer((_request, response) => {
  const body = JSON.stringify({ ok: true, status: 'healthy' })
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body)
})
server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => listening(server))
