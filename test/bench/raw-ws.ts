/** What the `ws` package does with nothing in front of it: it parses each frame and sends it back as JSON. */
import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'
import { listening } from './listening.ts'

const server = createServer()
new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket) => {
  socket.on('message', (message) => socket.send(JSON.stringify(JSON.parse(String(message)))))
})
server.listen({ port: 0, host: '127.0.0.1' }, () => listening(server))
