import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Caller, Context, JsonObject } from '@isopod/plugin-api'
import { Events } from '../../kernel/events.ts'
import { RUN_EVENTS, RUN_RETENTION_MS, RUNS_CHARACTERS, RUNS_KEPT, SUBSCRIBED_NAMES } from '../../kernel/limits.ts'
import { TestClock } from '@isopod/testing'
import { Ear, gate, House, methods, refusal, settled } from './house.ts'

const owner: Caller = { id: 'me', scopes: ['read', 'write'], origin: 'owner' }
const other: Caller = { id: 'you', scopes: ['read', 'write'], origin: 'owner' }
const admin: Caller = { id: 'root', scopes: ['admin'], origin: 'owner' }

function desk() {
  const clock = new TestClock()
  const events = new Events(clock)
  const ear = new Ear()
  const aborted: string[] = []
  const runId = events.runs.begin(owner, { what: 1 }, () => aborted.push('run'), ear)
  const say = (count = 1, teller?: Caller) => { for (let i = 0; i < count; i += 1) events.tell('chat.delta', { runId, delta: 'x' }, undefined, teller) }
  return { clock, events, runs: events.runs, ear, runId, say, aborted }
}

test('events of a run are numbered from 1, and its opener hears them all', () => {
  const { ear, say } = desk()
  say(3)
  assert.deepEqual(ear.seqs, [1, 2, 3])
})

test('whoever follows hears what came after, then what comes, and nothing twice', () => {
  const { runs, runId, say } = desk()
  const late = new Ear()
  say(3)
  const state = runs.follow(runId, 1, owner, late)
  say(2)
  assert.deepEqual(late.seqs, [2, 3, 4, 5])
  assert.deepEqual(state, { id: runId, open: true, firstSeq: 1, lastSeq: 3, about: { what: 1 } })
})

test('following again from the same socket doubles nothing and fills what was left out', () => {
  const { runs, runId, say, ear } = desk()
  say(3)
  runs.follow(runId, 0, owner, ear)
  assert.deepEqual(ear.seqs, [1, 2, 3])
  const late = new Ear()
  runs.follow(runId, 2, owner, late)
  runs.follow(runId, 0, owner, late)
  say()
  assert.deepEqual(late.seqs, [3, 1, 2, 4])
})

test('to another caller the run does not exist, and to one with the scope admin it does', () => {
  const { runs, runId, aborted } = desk()
  assert.throws(() => runs.follow(runId, 0, other, new Ear()), { code: 'not_found' })
  assert.throws(() => runs.abort(runId, other), { code: 'not_found' })
  assert.equal(runs.state(runId, other), undefined)
  assert.equal(runs.state(runId, admin)?.open, true)
  assert.equal(runs.abort(runId, admin), true)
  assert.deepEqual(aborted, ['run'])
})

test('an event on behalf of another caller does not get into the run', () => {
  const { ear, say } = desk()
  say(1, other)
  say(1, owner)
  assert.deepEqual(ear.seqs, [1])
})

test('an event of a run that has ended reaches nobody, subscribers included', () => {
  const { events, runs, runId, ear, say } = desk()
  const listener = new Ear()
  events.subscribe(listener, other, ['chat.delta'])
  runs.end(runId)
  say()
  assert.deepEqual([ear.heard, listener.heard], [[], []])
  assert.equal(runs.abort(runId, owner), false)
})

test('what a run said can be heard for ten minutes after its end, and then is forgotten', async () => {
  const { clock, runs, runId, say } = desk()
  say(2)
  runs.end(runId)
  runs.end(runId)
  const late = new Ear()
  await clock.advance(RUN_RETENTION_MS - 1)
  assert.equal(runs.follow(runId, 0, owner, late).open, false)
  assert.deepEqual(late.seqs, [1, 2])
  await clock.advance(1)
  assert.throws(() => runs.follow(runId, 0, owner, late), { code: 'not_found' })
})

test('the newest events are kept, and the state says with which they begin', () => {
  const { runs, runId, say } = desk()
  say(RUN_EVENTS + 10)
  const late = new Ear()
  assert.equal(runs.follow(runId, 0, owner, late).firstSeq, 11)
  assert.deepEqual([late.seqs[0], late.seqs.length], [11, RUN_EVENTS])
})

test('ended runs make room for new ones, open ones never do', () => {
  const { runs, runId } = desk()
  const ended = runs.begin(owner, {}, () => {}, undefined)
  runs.end(ended)
  for (let i = 0; i < RUNS_KEPT; i += 1) runs.begin(owner, {}, () => {}, undefined)
  assert.equal(runs.state(ended, owner), undefined)
  assert.equal(runs.state(runId, owner)?.open, true)
})

test('what ended longest ago is forgotten first where all runs together have said too much', () => {
  const { events, runs, runId, ear } = desk()
  const long = 'x'.repeat(RUNS_CHARACTERS / 8)
  const ended = Array.from({ length: 10 }, () => {
    const id = runs.begin(owner, {}, () => {}, undefined)
    events.tell('chat.delta', { runId: id, delta: long })
    runs.end(id)
    return id
  })
  assert.deepEqual(ended.map((id) => runs.state(id, owner) !== undefined), [false, false, false, ...Array.from({ length: 7 }, () => true)])
  assert.ok(runs.weight <= RUNS_CHARACTERS)
  assert.throws(() => runs.follow(ended[0] ?? '', 0, owner, ear), { code: 'not_found', message: /whose events are kept/ })
  assert.equal(runs.state(runId, owner)?.open, true)
})

test('an open run that says more than all may keep loses its first events, never its newest, and says so', () => {
  const { events, runs, runId, ear } = desk()
  const tell = (length: number) => events.tell('chat.delta', { runId, delta: 'x'.repeat(length) })
  for (let count = 0; count < 5; count += 1) tell(RUNS_CHARACTERS / 4)
  const late = new Ear()
  assert.deepEqual([runs.follow(runId, 0, owner, late).firstSeq, late.seqs], [3, [3, 4, 5]])
  tell(RUNS_CHARACTERS * 2)
  assert.equal(runs.follow(runId, 0, owner, undefined).firstSeq, 6)
  assert.deepEqual(ear.seqs, [1, 2, 3, 4, 5, 6])
  runs.end(runId)
  runs.begin(owner, {}, () => {}, undefined)
  assert.ok(runs.weight > RUNS_CHARACTERS)
  events.tell('chat.delta', { runId: runs.begin(owner, {}, () => {}, undefined), delta: 'x' })
  assert.equal(runs.state(runId, owner), undefined)
  assert.ok(runs.weight < 1_000)
})

test('an event outside any run goes to those who subscribed to its name and to nobody else', () => {
  const events = new Events(new TestClock())
  const [one, two] = [new Ear(), new Ear()]
  events.subscribe(one, owner, ['health', 'presence'])
  events.subscribe(two, other, ['presence'])
  events.tell('health', { ok: true })
  assert.deepEqual([one.seqs, two.seqs], [[0], []])
  assert.deepEqual(events.unsubscribe(one, ['health']), ['presence'])
  events.tell('health', { ok: true })
  events.forget(two)
  events.tell('presence', {})
  assert.deepEqual([one.heard.length, two.heard.length], [2, 0])
})

test('a client cannot subscribe to more names than any client needs', () => {
  const events = new Events(new TestClock())
  const ear = new Ear()
  const names = Array.from({ length: SUBSCRIBED_NAMES }, (_, index) => `x.${index}`)
  events.subscribe(ear, owner, names)
  assert.throws(() => events.subscribe(ear, owner, ['one.more']), { code: 'invalid_request', param: 'events' })
})

// Through a handler

const chatting = (ends: Promise<unknown>, table: Record<string, (params: never, ctx: Context) => unknown> = {}) =>
  methods({
    'chat.run': async (_: JsonObject, ctx: Context) => {
      const runId = await ctx.runs.open({ sessionKey: 's' })
      ctx.emit('chat.started', { runId })
      await Promise.race([ends, new Promise((_resolve, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason as Error)))])
      ctx.emit('chat.done', { runId })
      return { runId, same: ctx.runId === runId && (await ctx.runs.open({})) === runId }
    },
    'chat.start': (_, ctx) => ctx.spawn('chat.run', {}, { sessionKey: 's' }),
    'chat.abort': ({ runId }: { runId: string }, ctx) => ctx.runs.abort(runId),
    'chat.resume': async ({ runId, after }: { runId: string; after: number }, ctx) => ({ ...(await ctx.runs.follow(runId, after)) }),
    'chat.state': async ({ runId }: { runId: string }, ctx) => ((await ctx.runs.state(runId))?.open ?? null),
    ...table,
  })

test('a client that goes away leaves its run alive, and hears the rest when it comes back', async () => {
  const house = new House()
  const end = gate()
  await house.want({ id: 'chat', register: chatting(end.promise) })
  const lost = new Ear()
  const { call, answer } = house.begin('chat.run', {}, lost)
  await settled()
  const runId = String(lost.heard[0]?.data['runId'])
  call.abandon()
  house.kernel.core.events.forget(lost)
  end.resolve()
  assert.deepEqual(await answer, { runId, same: true })
  const back = house.client({ id: 'test' })
  await back.call('chat.resume', { runId, after: 1 })
  assert.deepEqual(back.events.map(({ name, seq }) => [name, seq]), [['chat.done', 2]])
  assert.equal(lost.heard.length, 1)
})

test('a call that is no run ends when its client goes away', async () => {
  const house = new House()
  await house.want({ id: 'p', register: methods({ 'a.wait': (_, ctx) => new Promise((_resolve, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason as Error))) }) })
  const { call, answer } = house.begin('a.wait')
  call.abandon()
  assert.equal((await refusal(answer)).code, 'cancelled')
})

test('a spawned run answers its id at once, outlives the call and is aborted by it', async () => {
  const house = new House()
  await house.want({ id: 'chat', register: chatting(new Promise(() => {})) })
  const client = house.client()
  const runId = (await client.call('chat.start')) as string
  await client.heard('chat.started', (event) => event.runId === runId)
  assert.equal(await client.call('chat.state', { runId }), true)
  assert.equal((await house.client({ id: 'other', scopes: ['read'] }).refusal('chat.abort', { runId })).code, 'not_found')
  assert.equal(await client.call('chat.abort', { runId }), true)
  await settled()
  assert.deepEqual([await client.call('chat.state', { runId }), house.inside('chat')], [false, 0])
})

test('a run is over for its followers once it is answered, even where its handler ignores the abort', async () => {
  const house = new House()
  await house.want({ id: 'p', register: methods({ 'a.deaf': async (_, ctx) => { await ctx.runs.open({}); return new Promise(() => {}) } }) })
  const { call, answer } = house.begin('a.deaf')
  await settled()
  const runId = String(call.runId)
  house.kernel.core.events.runs.abort(runId, { ...owner, id: 'test' })
  const refused = refusal(answer)
  await house.clock.advance(1000)
  assert.equal((await refused).message, 'The run was aborted')
  assert.equal(house.kernel.core.events.runs.state(runId, admin)?.open, false)
})

test('a spawn that the ladder refuses is refused, and opens no run', async () => {
  const house = new House()
  const table = { 'a.bad': async (_: unknown, ctx: Context) => (await refusal(ctx.spawn('chat.secret', {}, {}))).code, 'a.guarded': async (_: unknown, ctx: Context) => (await refusal(ctx.spawn('chat.run', {}, {}))).code }
  await house.want(
    { id: 'chat', register: chatting(Promise.resolve(), table) },
    { id: 'guard', register: (gateway) => gateway.hooks.callStarting.tap('t', async ({ method }) => (method === 'chat.run' ? { refuse: 'no' } : undefined)) },
  )
  assert.deepEqual([await house.client().call('a.bad'), await house.client().call('a.guarded')], ['method_not_found', 'forbidden'])
  assert.equal(house.kernel.core.events.runs.open, 0)
})

test('a spawned call that fails ends its run', async () => {
  const house = new House()
  await house.want({ id: 'p', register: methods({ 'a.start': (_, ctx) => ctx.spawn('a.fails', {}, {}), 'a.fails': async () => { throw new Error('x') } }) })
  const runId = (await house.client().call('a.start')) as string
  await settled()
  assert.equal(house.kernel.core.events.runs.state(runId, admin)?.open, false)
  assert.equal(house.kernel.core.events.runs.open, 0)
})

test('what start keeps is no call and opens no run', async () => {
  const house = new House()
  let ctx: Context | undefined
  await house.want({ id: 'p', start: (given) => void (ctx = given as Context) })
  assert.equal((await refusal(ctx?.runs.open({}) ?? Promise.resolve())).code, 'forbidden')
  assert.equal(house.kernel.core.events.runs.open, 0)
})
