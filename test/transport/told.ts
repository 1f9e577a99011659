/** What a transport tells about its sockets, in order, and two kinds of client: one that keeps to the protocol, one in raw bytes. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { WebSocket } from 'ws'
import { HANDSHAKE, requestText, type Started, type Wire } from './harness.ts'
import type { Socket } from '../../kernel/transport/socket.ts'

export class Told {
  readonly events: string[] = []
  readonly sockets: Socket[] = []
  #wake = () => {}

  tell(event: string): void {
    this.events.push(event)
    this.#wake()
  }

  readonly handlers = {
    open: (socket: Socket) => {
      this.sockets.push(socket)
      this.tell('open')
    },
    message: (_socket: Socket, text: string, binary: boolean) => this.tell(`message ${binary ? '(binary)' : ''}${text}`),
    drain: (socket: Socket) => this.tell(`drain ${socket.buffered}`),
    close: (_socket: Socket, code: number, reason: string) => this.tell(`close ${code} ${reason}`.trim()),
  }

  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = this.events.find((event) => pattern.test(event))
      if (found !== undefined) return found
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  get socket(): Socket {
    const [socket] = this.sockets
    assert.ok(socket)
    return socket
  }
}

export async function client({ port }: Started, t: TestContext, subprotocols: readonly string[] = []): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws?token=a`, [...subprotocols])
  t.after(() => socket.terminate())
  socket.on('error', () => {})
  await once(socket, 'open')
  return socket
}

export async function shakenHands({ dial }: Started): Promise<Wire> {
  const wire = await dial()
  wire.send(requestText('GET /ws', HANDSHAKE))
  await wire.until(/\r\n\r\n/)
  return wire
}
