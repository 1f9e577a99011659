import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { onBoth, readAll, requestText, waiting } from './harness.ts'
import type { BodyWriter, Exchange } from '../../kernel/transport/exchange.ts'

const MIB = 1024 * 1024

/** Resolves with what `settle` is called with. */
function signal<T>(): { readonly promise: Promise<T>; settle(value: T): void } {
  const { promise, resolve } = Promise.withResolvers<T>()
  return { promise, settle: resolve }
}

onBoth('a request arrives whole and its reply goes back', async ({ start }) => {
  const seen = signal<Exchange>()
  const { url } = await start({
    request(exchange) {
      seen.settle(exchange)
      exchange.reply(201, { 'X-Made': 'yes', 'X-From': exchange.remoteAddress, 'content-length': '999' }, '{"ok":true}')
    },
  })
  const response = await fetch(`${url}/a/b%20c?d=e%3Df&g`, { headers: { Cookie: 'a=1' } })
  assert.equal(response.status, 201)
  assert.equal(response.statusText, 'Created')
  assert.equal(response.headers.get('x-made'), 'yes')
  assert.equal(response.headers.get('x-from'), '127.0.0.1')
  assert.equal(response.headers.get('content-length'), '11')
  assert.equal(await response.text(), '{"ok":true}')
  const exchange = await seen.promise
  assert.deepEqual([exchange.method, exchange.path, exchange.query], ['GET', '/a/b%20c', 'd=e%3Df&g'])
  assert.equal(exchange.headers.get('cookie'), 'a=1')
  assert.equal(exchange.replied, true)
  assert.equal(exchange.signal.aborted, false)
})

onBoth('an address that is first asked for in a later turn is known, and stays so after the reply', async ({ start }) => {
  const seen = signal<Exchange>()
  const { url } = await start({
    request(exchange) {
      setImmediate(() => {
        exchange.reply(200, {}, exchange.remoteAddress)
        seen.settle(exchange)
      })
    },
  })
  assert.equal(await (await fetch(url)).text(), '127.0.0.1')
  assert.equal((await seen.promise).remoteAddress, '127.0.0.1')
})

onBoth('a query that is absent or empty is empty', async ({ start }) => {
  const { url } = await start({ request: (exchange) => exchange.reply(200, {}, JSON.stringify(exchange.query)) })
  for (const path of ['/', '/?']) assert.equal(await (await fetch(url + path)).text(), '""')
})

onBoth('header values are read as UTF-8, and repeated ones are joined', async ({ start }) => {
  const { dial } = await start({ request: (exchange) => exchange.reply(200, {}, `${exchange.headers.get('x-a')}|${exchange.headers.get('cookie')}`) })
  const wire = await dial()
  wire.send(requestText('GET /', ['Host: a', 'X-A: 1 \xc3\xa9 1', 'x-a: 2', 'Cookie: b=1', 'Cookie: c=2', 'Connection: close']))
  assert.match(Buffer.from(await wire.end(), 'latin1').toString(), /1 é 1, 2\|b=1; c=2$/)
})

onBoth('a reply says the date and not the software', async ({ start }) => {
  const { url } = await start({})
  const { headers } = await fetch(url)
  assert.ok(Math.abs(Date.parse(headers.get('date') ?? '') - Date.now()) < 60_000)
  assert.deepEqual(['uwebsockets', 'server', 'x-powered-by'].filter((name) => headers.has(name)), [])
})

onBoth('a reply to HEAD has the length and no body, and the connection goes on', async ({ start }) => {
  const { dial } = await start({ request: (exchange) => exchange.reply(200, {}, exchange.path) })
  const wire = await dial()
  wire.send(requestText('HEAD /twelve'))
  assert.match(await wire.until(/\r\n\r\n/), /^HTTP\/1\.1 200 OK\r\n[^]*content-length: 7\r\n/i)
  wire.send(requestText('GET /next', ['Host: a', 'Connection: close']))
  assert.match(await wire.end(), /\r\n\r\nHTTP\/1\.1 200 OK[^]*\r\n\r\n\/next$/)
})

onBoth('204 and 304 carry neither body nor length, whatever the handler gave', async ({ start }) => {
  const { dial } = await start({ request: (exchange) => exchange.reply(Number(exchange.path.slice(1)), {}, 'too much') })
  for (const status of [204, 304]) {
    const wire = await dial()
    wire.send(requestText(`GET /${status}`, ['Host: a', 'Connection: close']))
    const text = await wire.end()
    assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `))
    assert.match(text, /\r\n\r\n$/)
    assert.doesNotMatch(text, /content-length|too much/i)
  }
})

onBoth('a stream to HEAD and a stream of 204 send a head and end', async ({ start }) => {
  const { dial } = await start({
    request: waiting(async (exchange) => {
      await Promise.resolve()
      const writer = exchange.stream(exchange.method === 'HEAD' ? 200 : 204, { 'X-A': 'b' })
      await writer.write('nothing of this')
      writer.end()
    }),
  })
  for (const method of ['HEAD', 'GET']) {
    const wire = await dial()
    wire.send(requestText(`${method} /`, ['Host: a', 'Connection: close']))
    assert.match(await wire.end(), /x-a: b\r\n[^]*\r\n\r\n$/i)
    assert.doesNotMatch(wire.text, /nothing/)
  }
})

onBoth('a header that would split the reply is refused and nothing is sent of it', async ({ start }) => {
  const { url } = await start({
    request(exchange) {
      assert.throws(() => exchange.reply(200, { 'X-A': 'b\r\nX-Evil: 1' }, ''), /"X-A"/)
      assert.throws(() => exchange.stream(200, { 'X-A:b\r\nX': '1' }), /split/)
      exchange.reply(200, {}, 'clean')
    },
  })
  const response = await fetch(url)
  assert.equal(await response.text(), 'clean')
  assert.equal(response.headers.has('x-evil'), false)
})

onBoth('the first reply counts, a second does nothing', async ({ start }) => {
  const { url } = await start({
    request(exchange) {
      exchange.reply(200, {}, 'first')
      exchange.reply(500, {}, 'second')
      exchange.stream(500, {}).end()
    },
  })
  assert.equal(await (await fetch(url)).text(), 'first')
})

onBoth('a reply may come long after the request', async ({ start }) => {
  const arrived = signal<Exchange>()
  const { url } = await start({ request: (exchange) => arrived.settle(exchange) })
  const response = fetch(url)
  const exchange = await arrived.promise
  assert.equal(exchange.replied, false)
  exchange.reply(200, {}, new TextEncoder().encode('late'))
  assert.equal(await (await response).text(), 'late')
})

onBoth('one connection serves many requests', async ({ start, t }) => {
  const peers = new Set<number | undefined>()
  const { port } = await start({ request: waiting(async (exchange) => exchange.reply(200, {}, await readAll(exchange))) })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  for (let count = 0; count < 50; count++) {
    const sent = request({ port, host: '127.0.0.1', method: 'POST', agent })
    sent.end(`body ${count}`)
    const [response] = await once(sent, 'response')
    peers.add(sent.socket?.localPort)
    assert.equal(String((await response.toArray())[0]), `body ${count}`)
  }
  assert.equal(peers.size, 1)
})

onBoth('pipelined requests are answered in their order', async ({ start }) => {
  const { dial } = await start({ request: (exchange) => exchange.reply(200, {}, `[${exchange.path}]`) })
  const wire = await dial()
  wire.send(requestText('GET /1') + requestText('GET /2') + requestText('GET /3', ['Host: a', 'Connection: close']))
  assert.deepEqual((await wire.end()).match(/\[.*?\]/g), ['[/1]', '[/2]', '[/3]'])
})

onBoth('a request behind one that still waits is answered after it or not at all, never before', async ({ start, name }) => {
  const held: Exchange[] = []
  const first = signal<void>()
  const { dial } = await start({
    request(exchange) {
      if (exchange.path !== '/1') return exchange.reply(200, {}, '[2]')
      held.push(exchange)
      first.settle()
    },
  })
  const wire = await dial()
  wire.send(requestText('GET /1') + requestText('GET /2', ['Host: a', 'Connection: close']))
  await first.promise
  await new Promise(setImmediate) // the second is taken in by now, or the connection is closed
  held[0]?.reply(200, {}, '[1]')
  assert.deepEqual((await wire.end()).match(/\[.\]/g), name === 'uws' ? null : ['[1]', '[2]'])
})

onBoth('a body is read piece by piece, with and without a length', async ({ start }) => {
  const { url, dial } = await start({ request: waiting(async (exchange) => exchange.reply(200, {}, await readAll(exchange))) })
  const response = await fetch(url, { method: 'POST', body: 'é'.repeat(200_000) })
  assert.equal(await response.text(), 'é'.repeat(200_000))
  const wire = await dial()
  wire.send(requestText('POST /', ['Host: a', 'Transfer-Encoding: chunked', 'Connection: close'], '3\r\nabc\r\nA\r\ndefghijklm\r\n'))
  wire.send('0\r\n\r\n')
  assert.match(await wire.end(), /abcdefghijklm$/)
})

onBoth('a request without a body gives none, and one with an empty body too', async ({ start }) => {
  const { url } = await start({ request: waiting(async (exchange) => exchange.reply(200, {}, `<${await readAll(exchange)}>`)) })
  assert.equal(await (await fetch(url)).text(), '<>')
  assert.equal(await (await fetch(url, { method: 'POST', body: '' })).text(), '<>')
})

onBoth('a body may be read once', async ({ start }) => {
  const { url } = await start({
    request: waiting(async (exchange) => {
      await readAll(exchange)
      await assert.rejects(readAll(exchange), /once/)
      exchange.reply(200, {}, 'yes')
    }),
  })
  assert.equal(await (await fetch(url, { method: 'POST', body: 'x' })).text(), 'yes')
})

onBoth('Expect: 100-continue is answered before the body', async ({ start }) => {
  const { dial } = await start({ request: waiting(async (exchange) => exchange.reply(200, {}, await readAll(exchange))) })
  const wire = await dial()
  wire.send(requestText('POST /', ['Host: a', 'Content-Length: 2', 'Expect: 100-continue', 'Connection: close']))
  await wire.until(/100 Continue\r\n\r\n/)
  wire.send('hi')
  assert.match(await wire.end(), /100 Continue\r\n\r\n[^]* 200 OK[^]*hi$/)
})

onBoth('a Content-Length over the cap is refused before any of the body is read', async ({ start }) => {
  const { dial } = await start({ request: waiting(refuseLarge) })
  const wire = await dial()
  wire.send(requestText('POST /', ['Host: a', 'Content-Length: 1000001']))
  assert.match(await wire.until(/payload_too_large/), /^HTTP\/1\.1 413 /)
})

onBoth('a chunked body is refused once more than the cap has come', async ({ start }) => {
  const { dial } = await start({ request: waiting(refuseLarge) })
  const wire = await dial()
  const piece = `10000\r\n${'x'.repeat(65_536)}\r\n`
  wire.send(requestText('POST /', ['Host: a', 'Transfer-Encoding: chunked']) + piece.repeat(17))
  assert.match(await wire.until(/payload_too_large/), /^HTTP\/1\.1 413 /)
})

async function refuseLarge(exchange: Exchange): Promise<void> {
  await assert.rejects(readAll(exchange, 1_000_000), { code: 'payload_too_large' })
  exchange.reply(413, {}, 'payload_too_large')
}

for (const when of ['at once', 'later'] as const) {
  onBoth(`a reply ${when} to a large body nobody reads arrives, and the connection can be used again`, async ({ start }) => {
    const { port, dial } = await start({
      request: waiting(async (exchange) => {
        if (when === 'later') await new Promise(setImmediate)
        exchange.reply(401, {}, '[who?]')
      }),
    })
    const body = Buffer.alloc(10 * MIB, 'x')
    const sent = request({ port, host: '127.0.0.1', method: 'POST', headers: { 'content-length': body.length } })
    sent.on('error', () => {}) // the rest of the body, when the test is over
    sent.end(body)
    const [response] = await once(sent, 'response')
    assert.equal(response.statusCode, 401)
    assert.equal(String((await response.toArray())[0]), '[who?]')
    const wire = await dial()
    wire.send(requestText('POST /', ['Host: a', 'Content-Length: 300000'], 'x'.repeat(300_000)))
    await wire.until(/\[who\?\]/)
    wire.send(requestText('GET /', ['Host: a', 'Connection: close']))
    assert.equal((await wire.end()).match(/\[who\?\]/g)?.length, 2)
  })
}

onBoth('a client that was answered and goes on sending is cut off', async ({ start }) => {
  const { dial } = await start({
    request: waiting(async (exchange) => {
      await new Promise(setImmediate)
      exchange.reply(413, {}, 'too much')
    }),
  })
  const wire = await dial()
  wire.send(requestText('POST /', ['Host: a', 'Content-Length: 100000000000']))
  assert.match(await wire.until(/too much/), /^HTTP\/1\.1 413 /)
  const block = Buffer.alloc(MIB)
  let sent = 0
  while (!wire.socket.destroyed && sent < 1000) {
    await Promise.race([new Promise((resolve) => wire.socket.write(block, resolve)), wire.closed])
    sent++
  }
  assert.ok(sent > 64 && sent < 1000, `${sent} MiB were taken`)
})

onBoth('a body that its handler does not take waits at the client', async ({ start }) => {
  const arrived = signal<Exchange>()
  const { dial } = await start({ request: (exchange) => arrived.settle(exchange) })
  const wire = await dial()
  const before = process.memoryUsage().rss
  const total = 64 * MIB
  wire.send(requestText('POST /', ['Host: a', `Content-Length: ${total}`]))
  const block = Buffer.alloc(MIB, 'x')
  let taken = 0
  for (let sent = 0; sent < total; sent += MIB) wire.socket.write(block, () => (taken += MIB))
  const exchange = await arrived.promise
  await settled(() => taken)
  assert.ok(taken < 32 * MIB, `${taken} bytes were taken of a body that nobody reads`)
  let read = 0
  for await (const chunk of exchange.body(total)) read += chunk.byteLength
  exchange.reply(200, {}, 'done')
  await wire.until(/done$/)
  assert.equal(read, total)
  assert.ok(process.memoryUsage().rss - before < 200 * MIB)
})

/** Waits until a number that grows by events of this process has stopped growing. */
async function settled(value: () => number): Promise<void> {
  for (let quiet = 0, last = -1; quiet < 200; ) {
    await new Promise(setImmediate)
    quiet = value() === last ? quiet + 1 : 0
    last = value()
  }
}

onBoth('a streamed reply arrives piece by piece', async ({ start }) => {
  const writer = signal<BodyWriter>()
  const { dial } = await start({ request: (exchange) => writer.settle(exchange.stream(200, { 'content-type': 'text/event-stream' })) })
  const wire = await dial()
  wire.send(requestText('GET /', ['Host: a', 'Connection: close']))
  const stream = await writer.promise
  await stream.write('one')
  assert.match(await wire.until(/one/), /transfer-encoding: chunked/i)
  for (const piece of ['two', '', 'three']) await stream.write(piece)
  await wire.until(/three/)
  stream.end()
  await stream.write('after the end')
  stream.end()
  assert.match(await wire.end(), /\r\n\r\n3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n$/)
})

onBoth('a stream waits for its reader, and goes on when it reads', async ({ start }) => {
  const total = 64
  let written = 0
  const done = signal<void>()
  const { dial } = await start({
    request: waiting(async (exchange) => {
      const stream = exchange.stream(200, {})
      const piece = Buffer.alloc(MIB, 'x')
      for (; written < total; written++) await stream.write(piece)
      stream.end()
      done.settle()
    }),
  })
  const wire = await dial()
  wire.socket.removeAllListeners('data')
  wire.socket.pause()
  wire.send(requestText('GET /', ['Host: a', 'Connection: close']))
  await settled(() => written)
  assert.ok(written < total / 2, `${written} MiB were accepted for a reader that does not read`)
  let received = 0
  wire.socket.on('data', (chunk) => (received += chunk.length))
  wire.socket.resume()
  await done.promise
  await wire.closed
  assert.ok(received > total * MIB)
})

onBoth('a client that goes away aborts the signal and rejects the waiting write', async ({ start }) => {
  const failure = signal<unknown>()
  const aborted = signal<unknown>()
  const { dial } = await start({
    request: waiting(async (exchange) => {
      exchange.signal.addEventListener('abort', () => aborted.settle(exchange.signal.reason))
      const stream = exchange.stream(200, {})
      for (;;) {
        await stream.write(Buffer.alloc(MIB)).catch((error: unknown) => {
          failure.settle(error)
          throw error
        })
      }
    }),
  })
  const wire = await dial()
  wire.send(requestText('GET /'))
  await wire.until(/200 OK/)
  wire.socket.destroy()
  assert.equal((await failure.promise as { code?: unknown }).code, 'cancelled')
  assert.equal((await aborted.promise as { code?: unknown }).code, 'cancelled')
})

onBoth('a reply and a stream for a client that has gone do nothing', async ({ start }) => {
  const gone = signal<Exchange>()
  const { dial } = await start({
    request(exchange) {
      exchange.signal.addEventListener('abort', () => gone.settle(exchange))
    },
  })
  for (const kind of ['reply', 'stream']) {
    const wire = await dial()
    wire.send(requestText('GET /'))
    wire.socket.destroySoon()
    const exchange = await gone.promise
    assert.equal(exchange.signal.aborted, true)
    if (kind === 'reply') exchange.reply(200, {}, 'to nobody')
    else await assert.rejects(exchange.stream(200, {}).write('x'), { code: 'cancelled' })
  }
})

onBoth('half a body and then nobody is cancelled for its reader', async ({ start }) => {
  const failure = signal<unknown>()
  const { dial } = await start({
    request: (exchange) => {
      readAll(exchange).catch(failure.settle)
      exchange.signal.addEventListener('abort', () => exchange.reply(200, {}, ''))
    },
  })
  const wire = await dial()
  wire.send(requestText('POST /', ['Host: a', 'Content-Length: 10'], 'half'))
  wire.socket.destroySoon()
  assert.equal((await failure.promise as { code?: unknown }).code, 'cancelled')
})

onBoth('a thousand clients that connect and vanish, some in mid-request, leave it answering', async ({ start, t }) => {
  const { url, dial } = await start({ request: waiting(async (exchange) => exchange.reply(200, {}, await readAll(exchange))) })
  const pieces = ['', 'GET / HT', requestText('GET /'), requestText('POST /', ['Host: a', 'Content-Length: 9'], 'half'), requestText('GET /', ['Host: a', 'Upgrade: websocket'])]
  t.diagnostic('ten rounds of a hundred')
  for (let round = 0; round < 10; round++) {
    const wires = await Promise.all(Array.from({ length: 100 }, () => dial()))
    wires.forEach((wire, index) => {
      wire.send(pieces[index % pieces.length] ?? '')
      if (index % 2 === 0) wire.socket.resetAndDestroy()
      else wire.socket.destroySoon()
    })
    await Promise.all(wires.map((wire) => wire.closed))
  }
  assert.equal((await fetch(url)).status, 200)
})
