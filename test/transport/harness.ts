/**
 * Starts a transport for one test and talks to it in raw bytes. Every fact of the suite is asked of both transports;
 * where they may differ, the test says so by name.
 */
import { once } from 'node:events'
import { connect, type Socket as NetSocket } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { Exchange } from '../../kernel/transport/exchange.ts'
import type { TransportFactory, TransportHandlers, TransportOptions } from '../../kernel/transport/transport.ts'
import { uwsTransport } from '../../kernel/transport/uws.ts'
import { wsTransport } from '../../kernel/transport/ws.ts'

export const TRANSPORTS: readonly { readonly name: 'uws' | 'ws'; readonly factory: TransportFactory }[] = [
  { name: 'uws', factory: uwsTransport },
  { name: 'ws', factory: wsTransport },
]

export const OPTIONS: TransportOptions = {
  hosts: ['127.0.0.1'],
  port: 0,
  maxFrameBytes: 65_536,
  maxBackpressureBytes: 1_000_000,
  idleTimeoutSeconds: 8,
}

export interface Started {
  readonly name: 'uws' | 'ws'
  readonly port: number
  readonly url: string
  /** A raw connection, closed when the test ends. */
  dial(): Promise<Wire>
}

export interface Bench {
  readonly name: 'uws' | 'ws'
  readonly factory: TransportFactory
  readonly t: TestContext
  start(handlers: Partial<TransportHandlers>, options?: Partial<TransportOptions>): Promise<Started>
}

/** Registers one test for each transport. */
export function onBoth(title: string, fact: (bench: Bench) => Promise<void>): void {
  for (const { name, factory } of TRANSPORTS) {
    test(`${name}: ${title}`, (t) => fact({ name, factory, t, start: (handlers, options) => start({ name, factory, t }, handlers, options) }))
  }
}

export const SILENT: TransportHandlers = {
  request: (exchange) => exchange.reply(200, {}, 'ok'),
  upgrade: () => ({ accept: true, data: null }),
  open: () => {},
  message: () => {},
  drain: () => {},
  close: () => {},
}

async function start(
  { name, factory, t }: Omit<Bench, 'start'>,
  handlers: Partial<TransportHandlers>,
  options: Partial<TransportOptions> = {},
): Promise<Started> {
  const transport = factory({ ...OPTIONS, ...options }, { ...SILENT, ...handlers })
  t.after(() => transport.close())
  const { port } = await transport.listen()
  const dial = () => Wire.dial(port, t)
  return { name, port, url: `http://127.0.0.1:${port}`, dial }
}

/** A handler that may wait; what it throws is answered, so that a test fails by its assertion and not by a time-out. */
export function waiting(handle: (exchange: Exchange) => Promise<void>): (exchange: Exchange) => void {
  return (exchange) => {
    handle(exchange).catch((error: unknown) => exchange.reply(500, {}, String(error)))
  }
}

export async function readAll(exchange: Exchange, maxBytes = 10_000_000): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of exchange.body(maxBytes)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** A connection as bytes. */
export class Wire {
  readonly socket: NetSocket
  /** Everything that came, one character for each byte. */
  text = ''
  readonly closed: Promise<unknown>

  constructor(socket: NetSocket) {
    this.socket = socket
    socket.on('data', (chunk) => {
      this.text += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      socket.once('close', resolve)
    })
  }

  static async dial(port: number, t: TestContext): Promise<Wire> {
    const wire = new Wire(connect({ port, host: '127.0.0.1' }))
    t.after(() => wire.socket.destroy())
    await once(wire.socket, 'connect')
    return wire
  }

  send(text: string): void {
    this.socket.write(Buffer.from(text, 'latin1'))
  }

  /** Waits until what came matches, or the connection is closed. Answers all that came. */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.text) && !this.socket.closed) {
      await Promise.race([once(this.socket, 'data'), this.closed])
    }
    return this.text
  }

  /** Waits for the other side to close. Answers all that came. */
  async end(): Promise<string> {
    await this.closed
    return this.text
  }
}

/** A request as it stands on the wire. Lines are joined as the protocol wants it. */
export function requestText(line: string, headers: readonly string[] = ['Host: gateway'], body = ''): string {
  return [`${line} HTTP/1.1`, ...headers, '', body].join('\r\n')
}

export const HANDSHAKE = [
  'Host: gateway',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]
