/**
 * What uWebSockets does with nothing in front of it: it parses each WebSocket frame and sends it back as JSON, and answers
 * every GET with the body the gateway's `/health` has.
 */
import { loadUws } from '../../kernel/transport/uws.ts'
import { listening } from './listening.ts'

const uws = await loadUws()
const app = uws.App()
app.ws<object>('/*', {
  maxPayloadLength: 1024 * 1024,
  maxBackpressure: 0,
  idleTimeout: 120,
  sendPingsAutomatically: true,
  compression: uws.DISABLED,
  upgrade: (response, request, context) => {
    let key = ''
    request.forEach((name, value) => {
      if (name === 'sec-websocket-key') key = value
    })
    response.upgrade({}, key, '', '', context)
  },
  open: () => {},
  message: (socket, message) => socket.send(JSON.stringify(JSON.parse(Buffer.from(message).toString()))),
  drain: () => {},
  close: () => {},
})
app.any('/*', (response) => {
  response.writeStatus('200 OK').writeHeader('content-type', 'application/json').end(JSON.stringify({ ok: true, status: 'healthy' }))
})
app.listen('127.0.0.1', 0, uws.LIBUS_LISTEN_EXCLUSIVE_PORT, (socket) => listening(uws.us_socket_local_port(socket)))
