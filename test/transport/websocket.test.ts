import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import type { WebSocket } from 'ws'
import { HANDSHAKE, onBoth, requestText, type Started } from './harness.ts'
import { client, shakenHands, Told } from './told.ts'
import { fittingReason, sendableCode } from '../../kernel/transport/close-frame.ts'
import type { RequestHead } from '../../kernel/transport/exchange.ts'

const MIB = 1024 * 1024

/** A masked client frame with the mask 0. */
function frame(first: number, payload: Buffer): Buffer {
  assert.ok(payload.length < 126)
  return Buffer.concat([Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0]), payload])
}

onBoth('a socket carries text both ways', async ({ start, t }) => {
  const heads: RequestHead[] = []
  const told = new Told()
  const started = await start({
    ...told.handlers,
    upgrade(head) {
      heads.push(head)
      return { accept: true, data: { who: 'me' } }
    },
    message: (socket, text) => socket.send(`${text}!`),
  })
  const socket = await client(started, t)
  for (const text of ['hello', 'ü€🦀', '', 'x'.repeat(60_000)]) {
    socket.send(text)
    const [message, isBinary] = await once(socket, 'message')
    assert.equal(String(message), `${text}!`)
    assert.equal(isBinary, false)
  }
  assert.deepEqual([heads[0]?.method, heads[0]?.path, heads[0]?.query], ['GET', '/ws', 'token=a'])
  assert.equal(heads[0]?.remoteAddress, '127.0.0.1')
  assert.deepEqual(told.socket.data, { who: 'me' })
  assert.equal(told.socket.remoteAddress, '127.0.0.1')
  assert.equal(told.socket.buffered, 0)
})

onBoth('each socket has an id of its own', async ({ start, t }) => {
  const told = new Told()
  const started = await start(told.handlers)
  await Promise.all(Array.from({ length: 5 }, () => client(started, t)))
  assert.equal(new Set(told.sockets.map(({ id }) => id)).size, 5)
})

onBoth('a decision may take its time, and a client that leaves meanwhile is no socket', async ({ start, t }) => {
  const told = new Told()
  const decide: (() => void)[] = []
  const asked = Promise.withResolvers<void>()
  const started = await start({
    ...told.handlers,
    upgrade(head) {
      if (head.query !== '') return Promise.resolve({ accept: true, data: 'stayed' })
      asked.resolve()
      return new Promise((resolve) => decide.push(() => resolve({ accept: true, data: 'left' })))
    },
  })
  const wire = await started.dial()
  wire.send(requestText('GET /', HANDSHAKE))
  await asked.promise
  wire.socket.resetAndDestroy()
  await wire.closed
  await client(started, t)
  decide[0]?.()
  await client(started, t)
  assert.deepEqual(told.sockets.map(({ data }) => data), ['stayed', 'stayed'])
})

onBoth('the decided subprotocol is confirmed where it was offered, and no other', async ({ start, t }) => {
  const started = await start({ upgrade: () => ({ accept: true, subprotocol: 'isopod.v1', data: null }) })
  assert.equal((await client(started, t, ['other', 'isopod.v1'])).protocol, 'isopod.v1')
  const wire = await started.dial()
  wire.send(requestText('GET /', [...HANDSHAKE, 'Sec-WebSocket-Protocol: other']))
  assert.match(await wire.until(/\r\n\r\n/), / 101 /)
  assert.doesNotMatch(wire.text, /sec-websocket-protocol/i)
})

onBoth('without a decided subprotocol none is confirmed', async ({ start }) => {
  const { dial } = await start({})
  const wire = await dial()
  wire.send(requestText('GET /', [...HANDSHAKE, 'Sec-WebSocket-Protocol: a, b', 'Sec-WebSocket-Extensions: permessage-deflate']))
  assert.match(await wire.until(/\r\n\r\n/), / 101 /)
  assert.doesNotMatch(wire.text, /sec-websocket-(protocol|extensions)|uwebsockets/i)
})

for (const when of ['at once', 'later'] as const) {
  onBoth(`an upgrade refused ${when} gets the status, headers and body of the decision`, async ({ start }) => {
    const refusal = { accept: false, status: 401, headers: { 'X-Why': 'token' }, body: '{"ok":false}' } as const
    const { dial } = await start({
      upgrade: async () => {
        if (when === 'later') await new Promise(setImmediate)
        return refusal
      },
    })
    const wire = await dial()
    wire.send(requestText('GET /ws', HANDSHAKE))
    assert.match(await wire.end(), /^HTTP\/1\.1 401 Unauthorized\r\n[^]*x-why: token\r\n[^]*\r\n\r\n\{"ok":false\}$/i)
    assert.match(wire.text, /content-length: 12\r\n/i)
    assert.match(wire.text, /connection: close\r\n/i)
  })
}

onBoth('a handshake that cannot succeed is refused before anyone is asked', async ({ start }) => {
  let asked = 0
  const { dial } = await start({
    upgrade() {
      asked++
      return { accept: true, data: null }
    },
  })
  const without = (name: string, ...instead: string[]) => [...HANDSHAKE.filter((line) => !line.startsWith(name)), ...instead]
  const wrong: readonly (readonly [readonly string[], number])[] = [
    [without('Sec-WebSocket-Key'), 400],
    [without('Sec-WebSocket-Key', 'Sec-WebSocket-Key: short'), 400],
    [without('Sec-WebSocket-Key', 'Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!=='), 400],
    [[...HANDSHAKE, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='], 400],
    [without('Sec-WebSocket-Version', 'Sec-WebSocket-Version: 8'), 426],
    [without('Sec-WebSocket-Version'), 426],
    [[...HANDSHAKE, 'Host: other'], 400],
  ]
  for (const [headers, status] of wrong) {
    const wire = await dial()
    wire.send(requestText('GET /', headers))
    assert.match(await wire.end(), new RegExp(`^HTTP/1\\.1 ${status} `), headers.join('\n'))
    if (status === 426) assert.match(wire.text, /sec-websocket-version: 13\r\n/i)
  }
  assert.equal(asked, 0)
})

onBoth('a GET that has a key but does not ask for an upgrade is a request', async ({ start }) => {
  const { dial } = await start({ request: (exchange) => exchange.reply(200, {}, 'plain') })
  const wire = await dial()
  wire.send(requestText('GET /', ['Host: a', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Connection: close']))
  assert.match(await wire.end(), /200 OK[^]*plain$/)
})

onBoth('a binary frame is told and its bytes are not', async ({ start, t }) => {
  const told = new Told()
  const socket = await client(await start(told.handlers), t)
  socket.send(Buffer.from([1, 2, 3]))
  socket.send('text')
  await told.until(/text/)
  assert.deepEqual(told.events, ['open', 'message (binary)', 'message text'])
})

onBoth('a message in pieces arrives whole, with a ping between them answered', async ({ start }) => {
  const told = new Told()
  const wire = await shakenHands(await start(told.handlers))
  const euro = Buffer.from('€')
  wire.socket.write(frame(0x01, Buffer.concat([Buffer.from('a'), euro.subarray(0, 1)])))
  wire.socket.write(frame(0x89, Buffer.from('are you there')))
  wire.socket.write(frame(0x00, euro.subarray(1, 2)))
  wire.socket.write(frame(0x80, Buffer.concat([euro.subarray(2), Buffer.from('b')])))
  assert.equal(await told.until(/^message/), 'message a€b')
  await wire.until(/\x8a\x0dare you there/)
})

onBoth('a frame that comes byte by byte arrives whole', async ({ start }) => {
  const told = new Told()
  const wire = await shakenHands(await start(told.handlers))
  wire.socket.setNoDelay(true)
  for (const byte of frame(0x81, Buffer.from('slowly'))) {
    await new Promise<void>((resolve) => wire.socket.write(Buffer.from([byte]), () => resolve()))
  }
  assert.equal(await told.until(/^message/), 'message slowly')
})

onBoth('a close frame is answered and told with its code and reason', async ({ start, t }) => {
  const told = new Told()
  const socket = await client(await start(told.handlers), t)
  socket.close(4001, 'enough')
  const [code] = await once(socket, 'close')
  assert.equal(code, 4001)
  assert.equal(await told.until(/^close/), 'close 4001 enough')
  assert.equal(told.socket.send('too late'), false)
  assert.equal(told.socket.buffered, 0)
  told.socket.close(1000, 'again')
  told.socket.terminate()
})

onBoth('close sends its code and as much of the reason as fits, after what was sent before', async ({ start, t }) => {
  const told = new Told()
  const started = await start({
    ...told.handlers,
    message(socket) {
      socket.send('last words')
      socket.close(4000, 'é'.repeat(100))
      socket.close(4002, 'idempotent')
      assert.equal(socket.send('too late'), false)
    },
  })
  const socket = await client(started, t)
  const received: string[] = []
  socket.on('message', (message: Buffer) => received.push(message.toString()))
  socket.send('go')
  const [code, reason] = await once(socket, 'close')
  assert.equal(code, 4000)
  assert.equal(String(reason), 'é'.repeat(61))
  assert.deepEqual(received, ['last words'])
  assert.match(await told.until(/^close/), /^close 4000 /)
})

onBoth('close is never told from inside send or close', async ({ start, t }) => {
  const told = new Told()
  const started = await start({
    ...told.handlers,
    message(socket) {
      socket.close(1000, '')
      told.tell('after close()')
    },
  })
  const socket = await client(started, t)
  socket.send('go')
  await told.until(/^close/)
  assert.deepEqual(told.events.map((event) => event.slice(0, 7)), ['open', 'after c', 'close 1'])
})

onBoth('terminate drops the connection without a word', async ({ start, t }) => {
  const told = new Told()
  const socket = await client(await start(told.handlers), t)
  told.socket.terminate()
  const [code] = await once(socket, 'close')
  assert.equal(code, 1006)
  assert.equal(await told.until(/^close/), 'close 1006')
})

onBoth('a client that vanishes is told as 1006', async ({ start, t }) => {
  const told = new Told()
  const socket = await client(await start(told.handlers), t)
  socket.terminate()
  assert.match(await told.until(/^close/), /^close 1006/)
})

/** Sends one bad thing; answers the code that the client saw. uWebSockets closes TCP, which a client sees as 1006. */
async function codeAfter(bench: { started: Started; t: TestContext; told: Told }, spoil: (socket: WebSocket) => void): Promise<number> {
  const socket = await client(bench.started, bench.t)
  spoil(socket)
  const [code] = await once(socket, 'close')
  await bench.told.until(/^close/)
  assert.equal(bench.told.events.some((event) => event.startsWith('message')), false)
  // A number by the library's documentation.
  return code as number
}

/** What the library itself would not send. */
function sendRaw(socket: WebSocket, bytes: Buffer): void {
  // The library keeps its connection in `_socket`; there is no public way to send a bad frame.
  const { _socket: connection } = socket as unknown as { readonly _socket: { write(bytes: Buffer): void } }
  connection.write(bytes)
}

onBoth('a frame over the limit closes the socket with 1009, or TCP on uWebSockets', async ({ start, t, name }) => {
  const told = new Told()
  const started = await start(told.handlers)
  assert.equal(await codeAfter({ started, t, told }, (socket) => socket.send('x'.repeat(65_537))), name === 'uws' ? 1006 : 1009)
})

onBoth('a message in pieces that together are over the limit closes the socket too', async ({ start, t, name }) => {
  const told = new Told()
  const started = await start(told.handlers)
  const code = await codeAfter({ started, t, told }, (socket) => {
    socket.send('x'.repeat(40_000), { fin: false })
    socket.send('x'.repeat(40_000), { fin: true })
  })
  assert.equal(code, name === 'uws' ? 1006 : 1009)
})

onBoth('invalid UTF-8 closes the socket with 1007, or TCP on uWebSockets', async ({ start, t, name }) => {
  for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80]]) {
    const told = new Told()
    const started = await start(told.handlers)
    const code = await codeAfter({ started, t, told }, (socket) => sendRaw(socket, frame(0x81, Buffer.from(bytes))))
    assert.equal(code, name === 'uws' ? 1006 : 1007)
  }
})

onBoth('a frame against the protocol closes the socket with 1002, or TCP on uWebSockets', async ({ start, t, name }) => {
  const bad = [
    frame(0xc1, Buffer.from('rsv1')),
    frame(0x83, Buffer.from('reserved opcode')),
    frame(0x80, Buffer.from('continues nothing')),
    frame(0x09, Buffer.from('a ping in pieces')),
  ]
  for (const bytes of bad) {
    const told = new Told()
    const started = await start(told.handlers)
    const code = await codeAfter({ started, t, told }, (socket) => sendRaw(socket, bytes))
    assert.equal(code, name === 'uws' ? 1006 : 1002, bytes.toString())
  }
})

onBoth('a reader that stops is closed with 1013 once it is too far behind, and gets all before it', async ({ start }) => {
  const told = new Told()
  const started = await start(told.handlers)
  const wire = await shakenHands(started)
  wire.socket.removeAllListeners('data')
  wire.socket.pause()
  const before = process.memoryUsage().rss
  const text = 'x'.repeat(100_000)
  let sent = 0
  while (told.socket.send(text)) {
    sent++
    assert.ok(sent < 1000, 'a hundred megabytes were accepted for a reader that does not read')
    assert.ok(told.socket.buffered <= 1_000_000)
  }
  assert.equal(told.socket.send(text), false)
  assert.ok(process.memoryUsage().rss - before < 100 * MIB)
  let received = 0
  let tail = Buffer.alloc(0)
  wire.socket.on('data', (chunk) => {
    received += chunk.length
    tail = Buffer.concat([tail, chunk]).subarray(-27)
  })
  wire.socket.resume()
  while (!tail.includes('Too far')) await once(wire.socket, 'data')
  assert.equal(tail.readUInt16BE(0), 1013)
  assert.ok(received >= (sent + 1) * text.length)
  wire.socket.end(frame(0x88, Buffer.from([0x03, 0xf5])))
  assert.match(await told.until(/^close/), /^close 1013/)
})

onBoth('a reader that caught up is told', async ({ start }) => {
  const told = new Told()
  const wire = await shakenHands(await start(told.handlers, { maxBackpressureBytes: 20 * MIB }))
  wire.socket.removeAllListeners('data')
  wire.socket.pause()
  while (told.socket.buffered < MIB) assert.equal(told.socket.send('x'.repeat(500_000)), true)
  wire.socket.on('data', () => {})
  wire.socket.resume()
  assert.equal(await told.until(/^drain/), 'drain 0')
  assert.equal(told.socket.send('more'), true)
})

test('a code that may not be sent becomes 1011', () => {
  for (const code of [1000, 1001, 1008, 1013, 3000, 4999]) assert.equal(sendableCode(code), code)
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 2000, 5000]) assert.equal(sendableCode(code), 1011)
})

test('a reason is cut between two characters', () => {
  assert.equal(fittingReason('short'), 'short')
  assert.equal(fittingReason('x'.repeat(123)).length, 123)
  assert.equal(fittingReason(`${'x'.repeat(121)}🦀`), 'x'.repeat(121))
})
