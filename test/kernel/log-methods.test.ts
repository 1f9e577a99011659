/** The log as clients read and follow it. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { definePlugin, type GatewayEvent, type JsonObject, type Route } from '@isopod/plugin-api'
import { testGateway, TestClock, type TestGateway, type TestPlugin } from '@isopod/testing'
import { LOG_FOLLOWERS } from '../../kernel/limits.ts'
import { LogFollowers, TELL_MS } from '../../kernel/log-followers.ts'
import { LINES_KEPT } from '../../kernel/log/ring.ts'
import { openLog } from '../../kernel/log.ts'
import { makeHome } from '../config/home.ts'
import { listening } from '../http/listening.ts'
import { HeldTransport } from '../wire/held.ts'

const MIB = 1024 * 1024

async function open(t: TestContext, ...plugins: TestPlugin[]): Promise<{ gateway: TestGateway; clock: TestClock }> {
  const clock = new TestClock()
  const gateway = await testGateway({ plugins: ['dialect-rpc', ...plugins], clock, renewEvery: 0 })
  t.after(() => gateway.close())
  return { gateway, clock }
}

type Page = { entries: (JsonObject & { seq: number; message: string })[]; next: number }

function say(gateway: { log: TestGateway['log'] }, from: number, to: number): void {
  for (let number = from; number <= to; number++) gateway.log.info(`line ${number}`)
}

const calledBy = (id: string, signal = new AbortController().signal) => ({ caller: { id, scopes: [], origin: 'owner' as const }, signal })

const told = (events: readonly GatewayEvent[]): unknown[] => events.filter(({ name }) => name === 'log.line').map(({ data }) => data['message'])

describe('log.read', () => {
  it('answers lines as they were logged, with time, level, plugin and facts', async (t) => {
    const { gateway, clock } = await open(t)
    gateway.log.child({ plugin: 'chat 1.0.0' }).warn('took long', { ms: 12 })
    const { entries, next } = (await gateway.client().call('log.read', { plugin: 'chat' })) as Page
    const time = new Date(clock.now()).toISOString()
    assert.deepEqual(entries, [{ ms: 12, seq: gateway.log.last, time, level: 'warn', plugin: 'chat 1.0.0', message: 'took long' }])
    assert.equal(next, gateway.log.last)
  })

  it('is paged by `next`, and back by the first line of a page', async (t) => {
    const { gateway } = await open(t)
    const client = gateway.client()
    const start = gateway.log.last
    say(gateway, 1, 10)
    const first = (await client.call('log.read', { after: start, limit: 6 })) as Page
    const second = (await client.call('log.read', { after: first.next, limit: 6 })) as Page
    assert.deepEqual([...first.entries, ...second.entries].map(({ message }) => message), Array.from({ length: 10 }, (_, index) => `line ${index + 1}`))
    const back = (await client.call('log.read', { before: second.entries[0]?.seq ?? 0, limit: 2 })) as Page
    assert.deepEqual(back.entries.map(({ message }) => message), ['line 5', 'line 6'])
  })

  it('needs the scope admin, and names a parameter that does not fit', async (t) => {
    const { gateway } = await open(t)
    assert.equal((await gateway.client({ scopes: ['read', 'write', 'approve'] }).refusal('log.read')).code, 'forbidden')
    for (const [param, value] of [['level', 'loud'], ['limit', 0], ['limit', 1_001], ['after', -1], ['plugin', '']] as const) {
      assert.equal((await gateway.client().refusal('log.read', { [param]: value })).param, param)
    }
  })

  it('shows no secret of the config', async (t) => {
    const { gateway } = await open(t)
    gateway.log.hide(gateway.token)
    gateway.log.info(`a line with ${gateway.token}`, { token: 'other-secret' })
    assert.ok(!JSON.stringify(await gateway.client().call('log.read')).match(new RegExp(`${gateway.token}|other-secret`)))
  })
})

describe('the event log.line', () => {
  it('is told for each line to who subscribed, from then on, a few times a second', async (t) => {
    const { gateway, clock } = await open(t)
    const client = gateway.client()
    say(gateway, 1, 3)
    await client.call('events.subscribe', { events: ['log.line'] })
    say(gateway, 4, 6)
    assert.deepEqual(client.events, [])
    await clock.advance(TELL_MS)
    assert.deepEqual(told(client.events), ['line 4', 'line 5', 'line 6'])
    await client.call('events.unsubscribe', { events: ['log.line'] })
    say(gateway, 7, 7)
    await clock.advance(TELL_MS)
    assert.equal(client.events.length, 3)
  })

  it('is told once to who subscribed twice', async (t) => {
    const { gateway, clock } = await open(t)
    const client = gateway.client()
    for (let time = 1; time <= 2; time++) await client.call('events.subscribe', { events: ['log.line'] })
    say(gateway, 1, 1)
    await clock.advance(TELL_MS)
    assert.deepEqual(told(client.events), ['line 1'])
  })

  it('needs the scope admin, and then nothing of the same wish is subscribed', async (t) => {
    const { gateway } = await open(t)
    const client = gateway.client({ scopes: ['read'] })
    assert.deepEqual(await client.refusal('events.subscribe', { events: ['health', 'log.line'] }), { code: 'forbidden', message: 'Hearing log.line needs the scope `admin`', param: 'events' })
    assert.deepEqual(await client.call('events.unsubscribe', { events: ['none'] }), { events: [] })
  })

  it('waits for no reader: one who is behind is told how many lines he missed, and goes on', async (t) => {
    const clock = new TestClock()
    const transport = new HeldTransport()
    const gateway = await listening(t, { transport: transport.factory, plugins: ['dialect-rpc'], clock })
    const socket = await transport.connect()
    socket.comes({ id: 1, method: 'events.subscribe', params: { events: ['log.line'] } })
    await socket.until(({ frames }) => frames.some(({ id }) => id === 1))
    socket.buffered = MIB
    const padding = 'x'.repeat(8_000)
    for (let round = 1; round <= 60; round++) {
      for (let line = 1; line <= 100; line++) gateway.log.info(`line ${round}.${line}`, { padding })
      await clock.advance(TELL_MS)
    }
    assert.equal(socket.closing, undefined, '48 MB of lines do not wait for one who does not read')
    socket.reads()
    await clock.advance(10 * TELL_MS)
    const lines = socket.frames.filter(({ type }) => type === 'log.line').map(({ data }) => data as JsonObject)
    const missed = lines.findIndex((line) => line['missed'] !== undefined)
    assert.ok(missed > 0 && missed < 100, `${missed} lines waited`)
    assert.equal(lines.length - missed - 1, LINES_KEPT)
    assert.equal(missed + Number(lines[missed]?.['missed']) + LINES_KEPT, 6_000)
    assert.equal(lines.at(-1)?.['message'], 'line 60.100')
  })

  it('is not told of lines that telling itself brought about', async (t) => {
    const { gateway, clock } = await open(t)
    const heard: unknown[] = []
    const ear = {
      hear: ({ data }: GatewayEvent) => {
        heard.push(data['message'])
        gateway.log.warn(`heard ${String(data['message'])}`)
      },
    }
    const stop = new AbortController()
    const followers = new LogFollowers(gateway.log, clock)
    t.after(() => followers.close())
    const following = followers.follow(ear, {}, calledBy('a', stop.signal))
    say(gateway, 1, 2)
    await clock.advance(10 * TELL_MS)
    stop.abort()
    await following
    assert.deepEqual(heard, [undefined, 'line 1', 'line 2'])
    assert.deepEqual(((await gateway.client().call('log.read', { limit: 2 })) as Page).entries.map(({ message }) => message), ['heard line 1', 'heard line 2'], 'they are in the log all the same')
  })
})

it('one who follows from far back is told from the files what has left memory', async (t) => {
  const log = openLog({ file: join(await makeHome(t), 'gateway.log'), console: false })
  t.after(() => log.close())
  say({ log }, 1, LINES_KEPT + 400)
  const clock = new TestClock()
  const followers = new LogFollowers(log, clock)
  const heard: GatewayEvent[] = []
  const reached = Promise.withResolvers<void>()
  const stop = new AbortController()
  const hear = (happened: GatewayEvent) => {
    heard.push(happened)
    if (happened.data['message'] === 'line 401') reached.resolve()
  }
  const following = followers.follow({ hear }, { after: 100 }, calledBy('a', stop.signal))
  await reached.promise
  await clock.advance(10 * TELL_MS)
  followers.close()
  assert.equal(await following, LINES_KEPT + 400)
  assert.deepEqual(told(heard), Array.from({ length: LINES_KEPT + 300 }, (_, index) => `line ${index + 101}`))
})

it('one who is still being told of the past when everything is replaced ends too', async (t) => {
  const log = openLog({ file: join(await makeHome(t), 'gateway.log'), console: false })
  t.after(() => log.close())
  say({ log }, 1, LINES_KEPT + 400)
  const followers = new LogFollowers(log, new TestClock())
  const heard: GatewayEvent[] = []
  const following = followers.follow({ hear: (happened) => heard.push(happened) }, { after: 0 }, calledBy('a'))
  followers.turn()
  assert.equal(await following, 0, 'it goes on from where it was')
  assert.deepEqual(told(heard), [])
})

/** A row like those that show the log as an event stream. */
const row: Route = {
  verb: 'GET',
  path: '/lines',
  call: 'log.follow',
  decode: ({ query, headers }) => {
    const after = headers['last-event-id']
    const { level, limit } = query
    return { params: { ...(level !== undefined && { level }), ...(limit !== undefined && { limit: Number(limit) }), ...(after !== undefined && { after: Number(after) }) }, stream: true }
  },
  encode: (what) => {
    if (what.kind === 'event') return { frames: [{ event: what.event.name, id: String(what.event.data['seq'] ?? what.event.data['after']), data: what.event.data }] }
    return what.outcome.ok ? { frames: [{ event: 'end', data: what.outcome.value as JsonObject }] } : undefined
  },
}
const rows: TestPlugin = { id: 'rows', plugin: definePlugin((gateway) => gateway.hooks.routes.tap('rows', (routes) => routes.add(row))) }

/** Events of a stream as they come. */
async function* eventsOf(response: Response): AsyncGenerator<{ event: string; id?: string; data: JsonObject }> {
  let text = ''
  for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += piece
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: ?(.*)/, 2))) as { event: string; id: string; data: string }
      yield { ...fields, data: JSON.parse(fields.data) as JsonObject }
    }
  }
}

async function next<Item>(items: AsyncGenerator<Item>): Promise<Item> {
  const { value, done } = await items.next()
  assert.ok(!done, 'the stream has ended')
  return value
}

describe('log.follow', () => {
  it('opens an event stream at once, and tells each line as it is logged', async (t) => {
    const { gateway, clock } = await open(t, rows)
    const start = gateway.log.last
    const response = await gateway.fetch('/lines')
    assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
    const events = eventsOf(response)
    assert.deepEqual(await next(events), { event: 'log.following', id: String(start), data: { after: start } })
    gateway.log.warn('line 1', { size: 3 })
    await clock.advance(TELL_MS)
    assert.partialDeepStrictEqual(await next(events), { event: 'log.line', id: String(start + 1), data: { seq: start + 1, level: 'warn', message: 'line 1', size: 3 } })
    await events.return(undefined)
  })

  it('ends the moment its token is revoked, and no other stream with it', async (t) => {
    const { gateway, clock } = await open(t, rows)
    const client = gateway.client()
    const { token } = (await client.call('token.create', { name: 'short', scopes: ['admin'] })) as { token: string }
    const [revoked, other] = [eventsOf(await gateway.fetch('/lines', { headers: { authorization: `Bearer ${token}` } })), eventsOf(await gateway.fetch('/lines'))]
    for (const events of [revoked, other]) await next(events)
    await client.call('token.revoke', { token: 'short' })
    gateway.log.info('line 1')
    await clock.advance(TELL_MS)
    const rest: unknown[] = []
    for await (const { data } of revoked) rest.push(data['message'])
    assert.ok(!rest.includes('line 1'))
    while ((await next(other)).data['message'] !== 'line 1');
    await other.return(undefined)
  })

  it('goes on after the last line a client had, and misses none', async (t) => {
    const { gateway } = await open(t, rows)
    say(gateway, 1, 5)
    const events = eventsOf(await gateway.fetch('/lines', { headers: { 'last-event-id': String(gateway.log.last - 2) } }))
    await next(events)
    assert.equal((await next(events)).data['message'], 'line 4')
    assert.equal((await next(events)).data['message'], 'line 5')
    await events.return(undefined)
  })

  it('begins with the newest lines that are wanted, where some are asked for', async (t) => {
    const { gateway } = await open(t, rows)
    gateway.log.error('worse 1')
    gateway.log.error('worse 2')
    say(gateway, 1, 5)
    const events = eventsOf(await gateway.fetch('/lines?level=error&limit=1'))
    await next(events)
    assert.equal((await next(events)).data['message'], 'worse 2')
    await events.return(undefined)
  })

  it('ends with its client, and holds nothing of it', async (t) => {
    const { gateway, clock } = await open(t, rows)
    const leaving = new AbortController()
    const events = eventsOf(await gateway.fetch('/lines', { signal: leaving.signal }))
    await next(events)
    assert.equal(gateway.kernel.generation.instances.get('kernel')?.inside, 1)
    leaving.abort()
    await clock.advance(0)
    await clock.advance(0)
    assert.equal(gateway.kernel.generation.instances.get('kernel')?.inside, 0)
  })

  it('holds up no replacement: it ends with the number to go on after', async (t) => {
    const { gateway } = await open(t, rows)
    const events = eventsOf(await gateway.fetch('/lines'))
    await next(events)
    say(gateway, 1, 1)
    await gateway.client().call('plugin.disable', { id: 'dialect-rpc' })
    const rest: { event: string; data: JsonObject }[] = []
    for await (const event of events) rest.push(event)
    assert.equal(rest[0]?.data['message'], 'line 1')
    const end = rest.at(-1)
    assert.equal(end?.event, 'end')
    assert.equal(end.data['next'], rest.at(-2)?.data['seq'])
  })

  it('ends when the gateway stops, before anybody waits for it', async (t) => {
    const { gateway } = await open(t, rows)
    const events = eventsOf(await gateway.fetch('/lines'))
    await next(events)
    await gateway.running.close()
    let last = ''
    for await (const { event } of events) last = event
    assert.equal(last, 'end')
  })

  it('is for so many at once, and the next is told when to try again', async (t) => {
    const { gateway, clock } = await open(t)
    const client = gateway.client()
    const leaving = new AbortController()
    const calls = Array.from({ length: LOG_FOLLOWERS }, () => client.call('log.follow', {}, { signal: leaving.signal }))
    await clock.advance(0)
    assert.partialDeepStrictEqual(await client.refusal('log.follow'), { code: 'rate_limited', retryable: true, retryAfterSeconds: 5 })
    leaving.abort()
    await Promise.allSettled(calls)
    await clock.advance(0)
    const again = new AbortController()
    const call = client.call('log.follow', {}, { signal: again.signal })
    again.abort()
    await Promise.allSettled([call])
  })

  it('needs the scope admin', async (t) => {
    const { gateway } = await open(t)
    assert.equal((await gateway.client({ scopes: ['read', 'write', 'approve'] }).refusal('log.follow')).code, 'forbidden')
  })
})
