import type { IncomingMessage } from 'node:http'
/** What only a real connection shows: bodies in pieces, bodies that are too large or too slow, and clients that hang up. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { WebSocket } from 'ws'
import type { JsonObject } from '@isopod/plugin-api'
import { TestClock } from '@isopod/testing'
import { uwsTransport } from '../../kernel/transport/uws.ts'
import { wsTransport } from '../../kernel/transport/ws.ts'
import type { TransportFactory } from '../../kernel/transport/transport.ts'
import { verifies } from '../requirements.ts'
import { listening, TOKEN, type Listening, type ListeningOptions } from './listening.ts'
import { Probe } from './probe.ts'

interface Bench {
  readonly t: TestContext
  readonly probe: Probe
  open(options?: Partial<ListeningOptions>): Promise<Listening>
}

function onBoth(title: string, fact: (bench: Bench) => Promise<void>): void {
  const transports: Readonly<Record<string, TransportFactory>> = { uws: uwsTransport, ws: wsTransport }
  for (const [name, transport] of Object.entries(transports)) {
    test(`${name}: ${title}`, async (t) => {
      const probe = new Probe()
      await fact({ t, probe, open: (options) => listening(t, { transport, plugins: ['system', 'dialect-rpc', probe.plugin], ...options }) })
    })
  }
}

const HEAD = `Host: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\n`

async function dial(t: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** All that comes until it matches, or the connection closes. */
async function read(socket: Socket, pattern: RegExp): Promise<string> {
  let text = ''
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.on('data', (chunk) => (text += chunk.toString('latin1')))
  while (!pattern.test(text) && !socket.destroyed) await Promise.race([once(socket, 'data'), closed])
  return text
}

function post(url: string, body: Buffer | ReadableStream): Promise<Response> {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
  return fetch(`${url}/probe/echo`, { method: 'POST', headers, body, ...(body instanceof ReadableStream && { duplex: 'half' }) })
}

function inPieces(whole: Buffer, size: number): ReadableStream {
  let sent = 0
  return new ReadableStream({
    pull(controller) {
      if (sent >= whole.length) return controller.close()
      controller.enqueue(new Uint8Array(whole.subarray(sent, sent + size)))
      sent += size
    },
  })
}

const LIMIT = 10 * 1024 * 1024

/** JSON of exactly so many bytes. */
function ofSize(bytes: number): Buffer {
  return Buffer.from(`{"a":"${'x'.repeat(bytes - 8)}"}`)
}

onBoth('a body of 10 MB is read and one byte more is 413, whether it says its length or not', async ({ open }) => {
  verifies('002:limit:body')
  const { url } = await open()
  for (const pack of [(body: Buffer) => body, (body: Buffer) => inPieces(body, 1 << 20)]) {
    const whole = await post(url, pack(ofSize(LIMIT)))
    assert.equal(whole.status, 200)
    assert.equal((await whole.text()).length, LIMIT)
    const refused = await post(url, pack(ofSize(LIMIT + 1)))
    assert.equal(refused.status, 413)
    assert.partialDeepStrictEqual(await refused.json(), { ok: false, error: { type: 'invalid_request_error', code: 'payload_too_large' } })
  }
})

onBoth('a declared body over the limit is refused before any of it has come', async ({ t, open }) => {
  const { port } = await open()
  const socket = await dial(t, port)
  socket.write(`POST /probe/echo HTTP/1.1\r\n${HEAD}Content-Length: ${LIMIT + 1}\r\n\r\n`)
  assert.match(await read(socket, /payload_too_large/), /^HTTP\/1\.1 413 /)
})

onBoth('a body cut in the middle of a letter is put together', async ({ t, open }) => {
  const { port } = await open()
  const socket = await dial(t, port)
  const body = Buffer.from('{"a":"€🦀"}')
  socket.write(`POST /probe/echo HTTP/1.1\r\n${HEAD}Content-Length: ${body.length}\r\n\r\n`)
  const answer = read(socket, /\}$/)
  for (const byte of body) {
    socket.write(Buffer.from([byte]))
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.match(Buffer.from(await answer, 'latin1').toString(), /^HTTP\/1\.1 200 .*\{"a":"€🦀"\}$/s)
})

onBoth('a body that does not arrive within the time of a request is 504', async ({ t, open }) => {
  verifies('002:limit:timeout')
  const clock = new TestClock()
  const { port } = await open({ clock })
  const socket = await dial(t, port)
  socket.write(`POST /probe/echo HTTP/1.1\r\n${HEAD}Content-Length: 10\r\n\r\n{"a"`)
  const answer = read(socket, /timeout"/)
  // Asked twice, the second answer proves that the first request's head has been taken.
  const other = await dial(t, port)
  other.write(`GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  await read(other, /healthy/)
  await clock.advance(299_999)
  await clock.advance(1)
  assert.match(await answer, /^HTTP\/1\.1 504 /)
})

onBoth('a client that hangs up cancels its call, streaming or not', async ({ t, open, probe }) => {
  const { port } = await open()
  for (const path of ['/probe/wait', '/probe/stream']) {
    const [waiting, cancelled] = [probe.waiting, probe.cancelled.length]
    const socket = await dial(t, port)
    const body = '{"texts":["a"],"hold":true}'
    socket.write(`POST ${path} HTTP/1.1\r\n${HEAD}Content-Length: ${body.length}\r\n\r\n${body}`)
    await probe.until(() => probe.waiting === waiting + 1)
    socket.destroy()
    await probe.until(() => probe.cancelled.length === cancelled + 1)
  }
})

onBoth('a connection is used again after an answer and after a refusal', async ({ t, open }) => {
  const { port } = await open()
  const socket = await dial(t, port)
  for (const [path, status] of [['/status', 200], ['/nowhere', 404], ['/health', 200]] as const) {
    socket.write(`GET ${path} HTTP/1.1\r\n${HEAD}\r\n`)
    assert.match(await read(socket, /\}$/), new RegExp(`^HTTP/1.1 ${status} `))
    socket.removeAllListeners('data')
  }
})

onBoth('an upgrade that is refused is answered like any request, with its headers', async ({ open }) => {
  const { url } = await open({ config: { gateway: { limits: { connections: 1 } } } })
  const refusalOf = async (headers: Record<string, string>, path = '/') => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, { headers })
    socket.on('error', () => {})
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
    const chunks = await response.toArray()
    return { status: response.statusCode, headers: response.headers, body: JSON.parse(Buffer.concat(chunks as Buffer[]).toString()) as JsonObject }
  }
  const wrong = await refusalOf({ authorization: 'Bearer wrong' })
  assert.deepEqual([wrong.status, wrong.headers['www-authenticate'], wrong.body], [401, 'Bearer', { ok: false, error: { message: 'Unauthorized', type: 'authentication_error', code: 'unauthorized' } }])
  assert.equal((await refusalOf({ host: 'evil.example' })).status, 421)
  assert.equal((await refusalOf({ origin: 'https://evil.example' })).status, 403)
  const first = new WebSocket(url.replace('http', 'ws'), { headers: { authorization: `Bearer ${TOKEN}` } })
  await once(first, 'open')
  const full = await refusalOf({ authorization: `Bearer ${TOKEN}` })
  assert.deepEqual([full.status, full.headers['retry-after']], [429, '5'])
  first.terminate()
})

onBoth('a binary frame closes its socket with 1003', async ({ open }) => {
  const { url } = await open()
  const socket = new WebSocket(url.replace('http', 'ws'), { headers: { authorization: `Bearer ${TOKEN}` } })
  await once(socket, 'open')
  socket.send(Buffer.from('{"id":1,"method":"system.ping"}'))
  const [code] = (await once(socket, 'close')) as [number]
  assert.equal(code, 1003)
})

onBoth('a client that never reads its socket is closed, and memory stays bounded', async ({ t, open }) => {
  const { port, running } = await open()
  const socket = await dial(t, port)
  socket.write(`GET / HTTP/1.1\r\n${HEAD}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`)
  await read(socket, /\r\n\r\n/)
  socket.pause()
  const closed = Promise.withResolvers<void>()
  const { events } = running.kernel.core
  const forget = events.forget.bind(events)
  t.mock.method(events, 'forget', (sink: Parameters<typeof forget>[0]) => {
    forget(sink)
    closed.resolve()
  })
  const before = process.memoryUsage().rss
  for (let id = 1; id <= 120; id++) socket.write(maskedFrame(JSON.stringify({ id, method: 'probe.large', params: { length: 1 << 20 } })))
  await closed.promise
  assert.ok(process.memoryUsage().rss - before < 400 * 1024 * 1024)
})

/** A masked text frame with the mask 0, of less than 126 bytes. */
function maskedFrame(text: string): Buffer {
  const payload = Buffer.from(text)
  assert.ok(payload.length < 126)
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload])
}

onBoth('bind `loopback` listens on this machine alone', async ({ open }) => {
  verifies('000:bind')
  const { running } = await open()
  assert.ok(running.hosts.length > 0)
  for (const host of running.hosts) assert.ok(host === '127.0.0.1' || host === '::1')
})

onBoth('bind `all` listens for others, and is reached by any address but by no strange name', async ({ open }) => {
  verifies('000:bind')
  const { running, port } = await open({ config: { gateway: { bind: 'all' } } })
  assert.ok(running.hosts.some((host) => host === '0.0.0.0' || host === '::'))
  const status = async (host: string) => {
    const socket = connect(port, '127.0.0.1')
    socket.write(`GET /health HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
    const text = await read(socket, /\}$/)
    socket.destroy()
    return Number(text.slice(9, 12))
  }
  assert.deepEqual([await status('192.0.2.1:18789'), await status('evil.example')], [200, 421])
})
