import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { onBoth, OPTIONS, readAll, requestText, SILENT, TRANSPORTS, waiting, Wire } from './harness.ts'
import { MALFORMED } from './malformed-cases.ts'
import { client, shakenHands, Told } from './told.ts'

/** Eight is the least that uWebSockets knows; for HTTP its ten to twelve cannot be set at all. */
function patience(name: 'uws' | 'ws'): { readonly idleTimeoutSeconds: number } {
  return { idleTimeoutSeconds: name === 'uws' ? 8 : 1 }
}

// All that must wait for a library to lose its patience waits at the same time.
describe('patience', { concurrency: true, timeout: 30_000 }, () => {
  for (const { name, factory } of TRANSPORTS) {
    test(`${name}: no malformed request is served, and none holds its connection`, { timeout: 30_000 }, async (t) => {
      const served: string[] = []
      const told: string[] = []
      const transport = factory(
        { ...OPTIONS, ...patience(name) },
        {
          ...SILENT,
          request: waiting(async (exchange) => {
            await readAll(exchange)
            served.push(`${exchange.method} ${exchange.path}`)
            exchange.reply(200, {}, 'served')
          }),
          malformed: (reason) => told.push(reason),
        },
      )
      t.after(() => transport.close())
      const { port } = await transport.listen()
      const outcomes = await Promise.all(
        MALFORMED.map(async ({ what, bytes }) => {
          const wire = await Wire.dial(port, t)
          wire.send(bytes)
          return [what, outcomeOf(await wire.end())]
        }),
      )
      assert.deepEqual(Object.fromEntries(outcomes), Object.fromEntries(MALFORMED.map((one) => [one.what, one[name]])))
      assert.deepEqual(served, [])
      assert.ok(told.includes('The header host came twice.'))
    })
  }

  onBoth('a head that comes a header at a time is not waited for, however long the client goes on', async ({ start, name }) => {
    let served = 0
    const { dial } = await start({ request: () => void (served += 1) }, patience(name))
    const wire = await dial()
    wire.send('GET / HTTP/1.1\r\nHost: a\r\n')
    const trickle = setInterval(() => wire.send('X-A: b\r\n'), 250)
    const answer = await wire.end()
    clearInterval(trickle)
    assert.match(answer, name === 'uws' ? /^$/ : /^HTTP\/1\.1 408 /)
    assert.equal(served, 0)
  })

  onBoth('a silent client is pinged, and dropped where it does not answer', async ({ start, name }) => {
    const told = new Told()
    const wire = await shakenHands(await start(told.handlers, patience(name)))
    await wire.until(/\x89\x00/)
    assert.match(await told.until(/^close/), /^close 1006/)
  })

  onBoth('a client that answers its pings stays', async ({ start, t, name }) => {
    const told = new Told()
    const socket = await client(await start(told.handlers, patience(name)), t)
    for (let pings = 0; pings < 2; pings++) await once(socket, 'ping')
    assert.equal(told.socket.send('still here'), true)
    await once(socket, 'message')
  })

  onBoth('a connection that was answered before its request was complete does not stay for ever', async ({ start, name }) => {
    const { dial } = await start(
      {
        request: waiting(async (exchange) => {
          await new Promise(setImmediate)
          exchange.reply(401, {}, 'who?')
        }),
      },
      patience(name),
    )
    const wire = await dial()
    wire.send(requestText('POST /', ['Host: a', 'Content-Length: 10'], 'half'))
    await wire.until(/who\?/)
    wire.send(' more.')
    assert.match(await wire.end(), /^HTTP\/1\.1 401 /)
  })

  onBoth('a handler may take longer than the client may be silent', async ({ start, name }) => {
    const dropped = Promise.withResolvers<unknown>()
    const { dial } = await start(
      {
        request: waiting(async (exchange) => {
          await dropped.promise
          exchange.reply(200, {}, 'thought')
        }),
      },
      patience(name),
    )
    const [thinking, silent] = await Promise.all([dial(), dial()])
    thinking.send(requestText('GET /', ['Host: a', 'Connection: close']))
    void silent.closed.then(dropped.resolve)
    assert.match(await thinking.end(), /thought$/)
  })
})

/** One status, and nothing of a second reply behind it. */
function outcomeOf(text: string): string | number {
  if (text === '') return 'held'
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]))
  return statuses.length === 1 ? (statuses[0] ?? text) : text
}
