/** The TypeScript client's WebSocket, against a gateway as a person starts it, over a wire that may be cut. */
import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { WebSocket } from 'ws'
import { OpenClawClient, type Connection, type ConnectOptions, type GatewayEvent, type Run } from '@isopod/client'
import { gatewayFor, startGateway, type StartedGateway } from '../main-job/started.ts'
import { MANY, upstreamFor } from '../faults/upstream.ts'
import { factsOf, failureOf } from './failure.ts'
import { wireFor, type Wire } from './wire.ts'

const WORDS = Array.from({ length: 30 }, (_, index) => `word${index}`).join(' ')
const SLOW = `/slow 20\n${WORDS}`

interface Session {
  readonly messages: readonly { readonly role: string; readonly content: string }[]
}

interface Through {
  readonly wire: Wire
  readonly connection: Connection
}

/** A connection over a wire, that comes back quickly; both for as long as a test runs. */
async function throughWire(test: TestContext, { url, token }: StartedGateway, options: ConnectOptions = {}): Promise<Through> {
  const wire = await wireFor(test, url)
  const connection = await connected(test, { baseUrl: wire.url, token }, { firstDelayMs: 5, mostDelayMs: 40, ...options })
  return { wire, connection }
}

async function connected(test: TestContext, client: ConstructorParameters<typeof OpenClawClient>[0], options?: ConnectOptions): Promise<Connection> {
  const connection = await new OpenClawClient(client).connect(options)
  test.after(() => connection.close())
  return connection
}

/** The data of the next event of this name. */
async function next(connection: Connection, name: string): Promise<Readonly<Record<string, unknown>>> {
  const { promise, resolve } = Promise.withResolvers<Readonly<Record<string, unknown>>>()
  const off = await connection.on(name, resolve)
  return promise.finally(off)
}

/** Every event of a run; `each` is called after it. */
async function heard(run: Run, each: (event: GatewayEvent, count: number) => unknown = () => {}): Promise<GatewayEvent[]> {
  const events: GatewayEvent[] = []
  for await (const event of run) {
    events.push(event)
    await each(event, events.length)
  }
  return events
}

function textOf(events: readonly GatewayEvent[]): string {
  return events.flatMap((event) => (event.type === 'chat.delta' ? event.data.delta : [])).join('')
}

async function answerIn(gateway: StartedGateway, sessionKey: string): Promise<string | undefined> {
  const session = await new OpenClawClient({ baseUrl: gateway.url, token: gateway.token }).call<Session>('session.get', { sessionKey })
  return session.messages.find(({ role }) => role === 'assistant')?.content
}

/** Each event once and in order: the numbers rise, and what they say is what the gateway keeps. */
async function assertWhole(gateway: StartedGateway, sessionKey: string, events: readonly GatewayEvent[]): Promise<void> {
  assert.equal(textOf(events), await answerIn(gateway, sessionKey))
  assert.ok(events.every(({ seq }, index) => index === 0 || seq > (events[index - 1]?.seq ?? 0)))
  assert.equal(events.filter(({ type }) => type === 'chat.done').length, 1)
}

describe('the TypeScript client on a WebSocket', () => {
  let gateway: StartedGateway

  before(async () => {
    gateway = await startGateway({ config: 'gateway: { limits: { requestsPerMinute: 0, connections: 0 } }' })
  })
  after(() => gateway.remove())

  const direct = (test: TestContext): Promise<Connection> => connected(test, { baseUrl: gateway.url, token: gateway.token })

  it('tells a run as it goes, and what it came to', async (test) => {
    const connection = await direct(test)
    assert.ok(connection.gateway.capabilities.includes('chat'))
    const run = connection.run({ message: '/call calculator {"expression":"6*7"}', sessionKey: 'told' })
    const events = await heard(run)
    assert.deepEqual([...new Set(events.map(({ type }) => type))], ['chat.started', 'tool.call', 'tool.result', 'chat.delta', 'chat.done'])
    const { runId, sessionKey, response, usage } = await run.result
    assert.deepEqual([sessionKey, response], ['told', textOf(events)])
    assert.ok(events.every(({ data }) => data.runId === runId) && usage.totalTokens > 0)
  })

  it('keeps the events of runs at the same time apart', async (test) => {
    const connection = await direct(test)
    const lanes = await Promise.all(['a', 'b', 'c'].map((lane) => heard(connection.run({ message: `/slow 1\nlane ${lane}`, sessionKey: `lane-${lane}` }))))
    for (const [index, lane] of ['a', 'b', 'c'].entries()) await assertWhole(gateway, `lane-${lane}`, lanes[index] ?? [])
  })

  it('calls methods, and is refused with their codes', async (test) => {
    const connection = await direct(test)
    assert.partialDeepStrictEqual(await connection.call('system.status'), { status: 'ok' })
    assert.partialDeepStrictEqual(factsOf(await failureOf(connection.call('no.such'))), { code: 'method_not_found', status: 404 })
    assert.partialDeepStrictEqual(factsOf(await failureOf(connection.call('chat.abort'))), { code: 'invalid_request', param: 'runId' })
    assert.partialDeepStrictEqual(factsOf(await failureOf(connection.run({ message: '' }))), { code: 'invalid_request' })
    assert.partialDeepStrictEqual(factsOf(await failureOf(connection.run({ message: '/fail unavailable' }))), { code: 'unavailable' })
  })

  it('works with the WebSocket it is given', async (test) => {
    const made: unknown[] = []
    class Counted extends WebSocket {
      constructor(url: string, protocols: string) {
        super(url, protocols)
        made.push(url)
      }
    }
    const connection = await connected(test, { baseUrl: gateway.url, token: gateway.token, WebSocket: Counted })
    assert.partialDeepStrictEqual(await connection.call('system.ping'), { pong: true })
    // A token in a URL would stand in the logs of every proxy on the way.
    assert.deepEqual(made, [gateway.url.replace('http', 'ws') + '/'])
  })

  it('is turned away with a wrong token, or where nobody listens', async () => {
    const wrong = new OpenClawClient({ baseUrl: gateway.url, token: 'wrong-token-of-somebody' })
    const refused = await failureOf(wrong.connect())
    assert.partialDeepStrictEqual(factsOf(refused), { code: 'unauthorized', status: 401 })
    assert.doesNotMatch(refused.message, /wrong-token/)
    assert.equal((await failureOf(new OpenClawClient({ baseUrl: gateway.url }).connect())).code, 'unauthorized')
    assert.equal((await failureOf(new OpenClawClient({ baseUrl: 'http://127.0.0.1:1' }).connect())).code, 'unreachable')
  })

  it('hears every delta of a run once and in order, however often its connection is cut', async (test) => {
    const { wire, connection } = await throughWire(test, gateway)
    let losses = 0
    await connection.on('connection.lost', () => (losses += 1))
    const run = connection.run({ message: SLOW, sessionKey: 'cut' })
    await run.started
    const events = await heard(run, (_event, count) => count % 6 === 0 && wire.cut())
    assert.ok(losses >= 2, `${losses} losses`)
    await assertWhole(gateway, 'cut', events)
    assert.equal((await run.result).response, textOf(events))
  })

  it('hears the rest of a run that ended while it was away', async (test) => {
    const { wire, connection } = await throughWire(test, gateway)
    const watching = await direct(test)
    const run = connection.run({ message: SLOW, sessionKey: 'away' })
    await run.started
    const events = await heard(run, async (event, count) => {
      if (count !== 5) return
      wire.down()
      await watching.resume(event.data.runId).result
      wire.up()
    })
    await assertWhole(gateway, 'away', events)
  })

  it('says how many events of a long run nobody keeps any more, and still has its whole answer', async (test) => {
    const { url, token } = await gatewayFor(test, { config: (await upstreamFor(test)).config })
    const first = (await connected(test, { baseUrl: url, token })).run({ message: 'Hello', sessionKey: 'long', options: { model: 'p/long' } })
    const { runId, response, missed } = await first.result
    assert.deepEqual([response.length, missed], [5 * MANY, 0])
    const again = (await connected(test, { baseUrl: url, token })).resume(runId)
    const events = await heard(again)
    const [gap, next] = events
    assert.ok(gap?.type === 'chat.gap' && next !== undefined, gap?.type)
    assert.deepEqual([gap.data.runId, gap.data.sessionKey, gap.seq, next.seq > gap.seq], [runId, 'long', gap.data.missed, true])
    assert.ok(gap.data.missed > 0 && events.slice(1).every(({ type }) => type !== 'chat.gap'))
    const whole = await again.result
    assert.deepEqual([whole.response, whole.missed], [response, gap.data.missed])
  })

  it('finds out that a connection is dead on which nobody says so', async (test) => {
    const { wire, connection } = await throughWire(test, gateway, { silenceMs: 50, timeoutMs: 300 })
    const lost = next(connection, 'connection.lost')
    const run = connection.run({ message: SLOW, sessionKey: 'dead' })
    await run.started
    const events = await heard(run, (_event, count) => count === 3 && wire.hold())
    assert.match(String((await lost)['error']), /no sign of life/)
    await assertWhole(gateway, 'dead', events)
  })

  it('asks again what only looks, and says of the rest that nobody knows', async (test) => {
    const { wire, connection } = await throughWire(test, gateway)
    wire.hold()
    const looking = connection.call('session.list')
    const changing = failureOf(connection.call('session.delete', { sessionKey: 'nobody' }))
    wire.cut()
    assert.equal((await changing).code, 'connection_lost')
    assert.ok('sessions' in Object(await looking))
  })

  it('makes calls wait while there is no connection', async (test) => {
    const { wire, connection } = await throughWire(test, gateway)
    const lost = next(connection, 'connection.lost')
    wire.down()
    await lost
    const run = connection.run({ message: 'Hello', sessionKey: 'waited' })
    wire.up()
    assert.match((await run.result).response, /You said: Hello/)
  })

  it('subscribes again to what it had subscribed to', async (test) => {
    const { wire, connection } = await throughWire(test, gateway)
    const changes: unknown[] = []
    const off = await connection.on('session.changed', ({ sessionKey }) => changes.push(sessionKey))
    const restored = next(connection, 'connection.restored')
    wire.cut()
    await restored
    // Answered after the subscription, which was sent before it.
    await connection.call('system.ping')
    await connection.run({ message: 'Hello', sessionKey: 'watched' }).result
    await connection.call('system.ping')
    assert.ok(changes.includes('watched'))
    off()
    changes.length = 0
    await connection.call('system.ping')
    await connection.run({ message: 'Hello', sessionKey: 'watched' }).result
    assert.deepEqual(changes, [])
  })

  it('is told where it may not hear an event', async (test) => {
    const owner = await direct(test)
    const { token } = await owner.call<{ token: string }>('token.create', { name: 'reader', scopes: ['read'] })
    const reader = await connected(test, { baseUrl: gateway.url, token })
    assert.equal((await failureOf(reader.on('log.line', () => {}))).code, 'forbidden')
  })

  it('comes to its end when its token is revoked', async (test) => {
    const owner = await direct(test)
    const { token } = await owner.call<{ token: string }>('token.create', { name: 'short', scopes: ['read'] })
    const guest = await connected(test, { baseUrl: gateway.url, token }, { firstDelayMs: 5 })
    const closed = next(guest, 'connection.closed')
    await owner.call('token.revoke', { token: 'short' })
    assert.equal(Object((await closed)['error']).code, 'unauthorized')
    assert.equal((await failureOf(guest.call('system.ping'))).code, 'unauthorized')
  })

  it('aborts a run when its reader leaves the loop, a signal says so, or it is told to', async (test) => {
    const connection = await direct(test)
    const controller = new AbortController()
    const left = connection.run({ message: SLOW })
    const signalled = connection.run({ message: SLOW }, { signal: controller.signal })
    const told = connection.run({ message: SLOW })
    for await (const _ of left) break
    const reason = new Error('I have changed my mind')
    await signalled.started
    controller.abort(reason)
    await assert.rejects(signalled.result, reason)
    await told.started
    told.abort()
    assert.equal((await failureOf(told.result)).code, 'cancelled')
    // Each is told as it ended, to whoever follows it.
    for (const run of [left, signalled, told]) assert.equal((await failureOf(connection.resume(run.runId ?? ''))).code, 'cancelled')
  })

  it('aborts a run that was stopped before it had a name', async (test) => {
    const connection = await direct(test)
    const aborted = next(connection, 'chat.error')
    const run = connection.run({ message: SLOW })
    run.abort()
    assert.equal((await failureOf(run.started)).code, 'cancelled')
    assert.equal((await aborted)['runId'], run.runId)
  })

  it('ends everything on it when it is closed, and nothing at the gateway', async (test) => {
    const connection = await direct(test)
    const run = connection.run({ message: SLOW, sessionKey: 'closed' })
    const { runId } = await run.started
    const pending = failureOf(connection.call('system.ping'))
    connection.close()
    assert.deepEqual([(await failureOf(run)).code, (await pending).code, (await failureOf(connection.call('system.ping'))).code], ['closed', 'closed', 'closed'])
    assert.match((await (await direct(test)).resume(runId).result).response, /word29/)
  })
})

describe('the TypeScript client whose gateway is killed and started again', () => {
  it('says that the run was interrupted, and goes on with the next', async (test) => {
    const first = await gatewayFor(test)
    const { wire, connection } = await throughWire(test, first)
    const run = connection.run({ message: SLOW, sessionKey: 'killed' })
    await run.started
    for await (const event of run) {
      if (event.type !== 'chat.delta') continue
      await first.kill('SIGKILL')
      break
    }
    assert.equal((await failureOf(run.result)).code, 'cancelled')

    const second = await gatewayFor(test, { home: first.home })
    const other = connection.run({ message: 'And now?', sessionKey: 'killed' })
    wire.up(second.url)
    assert.match((await other.result).response, /You said: And now\?/)
    assert.equal((await failureOf(connection.resume(run.runId ?? ''))).code, 'interrupted')
  })

  it('says so of the run that is being read', async (test) => {
    const first = await gatewayFor(test)
    const { wire, connection } = await throughWire(test, first)
    const run = connection.run({ message: SLOW, sessionKey: 'killed' })
    await Promise.all([run.started, next(connection, 'chat.delta')])
    await first.kill('SIGKILL')
    const second = await gatewayFor(test, { home: first.home })
    wire.up(second.url)
    assert.equal((await failureOf(run)).code, 'interrupted')
  })

  it('hears the end of a run whose events the gateway has forgotten', async (test) => {
    const first = await gatewayFor(test)
    const { wire, connection } = await throughWire(test, first)
    const run = connection.run({ message: SLOW, sessionKey: 'forgotten' })
    await run.started
    let second: StartedGateway | undefined
    const events = await heard(run, async (event, count) => {
      if (count !== 5) return
      wire.down()
      await (await connected(test, { baseUrl: first.url, token: first.token })).resume(event.data.runId).result
      await first.kill('SIGKILL')
      second = await gatewayFor(test, { home: first.home })
      wire.up(second.url)
    })
    assert.ok(second)
    await assertWhole(second, 'forgotten', events)
    assert.ok((await run.result).usage.totalTokens > 0)
  })
})
