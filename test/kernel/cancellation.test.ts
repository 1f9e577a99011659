import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RpcError, type Context } from '@isopod/plugin-api'
import { Stopping } from '../../kernel/stopping.ts'
import { all, gate, House, methods, refusal, settled } from './house.ts'

const untilStopped = (_: unknown, ctx: Context) => new Promise((_resolve, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason as Error)))
const gone = new RpcError('cancelled', 'The client went away')

test('cancelling a call reaches the calls nested in it, and everybody leaves', async () => {
  const house = new House()
  await house.want({ id: 'p', register: methods({ 'a.one': (_, ctx) => ctx.call('a.two'), 'a.two': (_, ctx) => ctx.call('b.deep') }) }, { id: 'q', register: methods({ 'b.deep': untilStopped }) })
  const { call, answer } = house.begin('a.one')
  await settled()
  assert.deepEqual([house.inside('p'), house.inside('q')], [2, 1])
  call.cancel(gone)
  assert.equal((await refusal(answer)).message, 'The client went away')
  await settled()
  assert.deepEqual([house.inside('p'), house.inside('q')], [0, 0])
})

test('cancelling a call reaches a tool, a stream and a tap under it', async () => {
  const house = new House()
  const aborted: string[] = []
  const watch = (name: string) => (_: unknown, ctx: Context) => new Promise<never>((_resolve, reject) => ctx.signal.addEventListener('abort', () => { aborted.push(name); reject(ctx.signal.reason as Error) }))
  await house.want({
    id: 'p',
    register: all(
      methods({
        'tool.run': (_, ctx) => Promise.all([ctx.useTool('saw', {}), ctx.ask('toolCalling', { tool: 'saw', args: {}, effects: [], caller: ctx.caller })]),
        'a.read': async (_, ctx) => { for await (const _item of ctx.stream('a.items')) return 1 },
        'a.items*': async function* (_, ctx) { yield await watch('stream')(_, ctx) },
      }),
      (gateway) => gateway.hooks.tools.tap('t', (into) => into.add({ name: 'saw', description: '', effects: [], handle: watch('tool') })),
      (gateway) => gateway.hooks.toolCalling.tap({ name: 'g', deadlineMs: 5000 }, watch('tap')),
    ),
  })
  const [running, reading] = [house.begin('tool.run'), house.begin('a.read')]
  await settled()
  running.call.cancel(gone)
  reading.call.cancel(gone)
  assert.equal((await refusal(running.answer)).code, 'cancelled')
  assert.equal((await refusal(reading.answer)).code, 'cancelled')
  await settled()
  assert.deepEqual(aborted.sort(), ['stream', 'tap', 'tool'])
  assert.equal(house.inside('p'), 0)
})

test('a handler that ends in its own words within the grace is heard', async () => {
  const house = new House()
  await house.want({ id: 'p', register: methods({ 'a.tidy': (_, ctx) => new Promise((resolve) => ctx.signal.addEventListener('abort', () => resolve('kept half'))) }) })
  const { call, answer } = house.begin('a.tidy')
  call.cancel(gone)
  assert.equal(await answer, 'kept half')
})

test('a handler that ignores its signal is answered when the grace is over, and is inside until it really ends', async () => {
  const house = new House()
  const end = gate()
  await house.want({ id: 'p', register: methods({ 'a.deaf': () => end.promise }) })
  const { call, answer } = house.begin('a.deaf')
  const refused = refusal(answer)
  call.cancel(gone)
  let isAnswered = false
  void refused.then(() => (isAnswered = true))
  await house.clock.advance(999)
  assert.equal(isAnswered, false)
  await house.clock.advance(1)
  assert.equal((await refused).code, 'cancelled')
  assert.equal(house.inside('p'), 1)
  end.resolve()
  await settled()
  assert.equal(house.inside('p'), 0)
})

test('a call cancelled before it begins runs no handler', async () => {
  const house = new House()
  let ran = false
  await house.want({ id: 'p', register: methods({ 'a.run': () => void (ran = true) }) })
  assert.equal((await refusal(house.client().call('a.run', {}, { signal: AbortSignal.abort() }))).code, 'cancelled')
  assert.equal(ran, false)
})

test('an outliving call goes on after a cancellation, for five seconds at most', async () => {
  const house = new House()
  const written: string[] = []
  await house.want({
    id: 'p',
    register: methods({
      'a.work': async (_, ctx) => {
        await untilStopped(_, ctx).catch(() => {})
        await ctx.call('a.write', { text: 'interrupted' }, { outliving: true })
        assert.equal((await refusal(ctx.call('a.write', { text: 'ordinary' }))).code, 'cancelled')
        await ctx.call('a.hang', {}, { outliving: true })
      },
      'a.write': async ({ text }: { text: string }) => { await settled(); written.push(text) },
      'a.hang': () => new Promise(() => {}),
    }),
  })
  const { call, answer } = house.begin('a.work')
  const refused = refusal(answer)
  call.cancel(gone)
  await settled()
  await settled()
  await settled()
  assert.deepEqual(written, ['interrupted'])
  await house.clock.advance(1000)
  assert.equal((await refused).code, 'cancelled')
  assert.equal(house.inside('p'), 2)
  await house.clock.advance(5000)
  // What still hangs is the handler that ignores its signal; the one that waited for it has left.
  assert.equal(house.inside('p'), 1)
})

test('a signal of the plugin\'s own stops the inner call and not the outer one', async () => {
  const house = new House()
  await house.want({
    id: 'p',
    register: methods({
      'a.outer': async (_, ctx) => {
        const own = new AbortController()
        const inner = refusal(ctx.call('a.wait', {}, { signal: own.signal }))
        own.abort()
        return [(await inner).code, ctx.signal.aborted]
      },
      'a.wait': untilStopped,
    }),
  })
  assert.deepEqual(await house.client().call('a.outer'), ['cancelled', false])
})

test('an inner call that nobody waited for ends with the call that made it', async () => {
  const house = new House()
  await house.want({ id: 'p', register: methods({ 'a.forgetful': (_, ctx) => { ctx.call('a.wait').catch(() => {}); return 1 }, 'a.wait': untilStopped }) })
  assert.equal(await house.client().call('a.forgetful'), 1)
  await settled()
  assert.equal(house.inside('p'), 0)
})

test('leaving a stream early ends its iterator and the calls inside it', async () => {
  const house = new House()
  let ended = false
  await house.want({
    id: 'p',
    register: methods({
      'a.items*': async function* (_, ctx) {
        try {
          yield 1
          yield await ctx.call('a.wait')
        } finally {
          ended = true
        }
      },
      'a.wait': untilStopped,
      'a.first': async (_, ctx) => { for await (const item of ctx.stream('a.items')) return item },
      'a.stuck': async (_, ctx) => {
        const reader = ctx.stream('a.items')[Symbol.asyncIterator]()
        await reader.next()
        void reader.next().catch(() => {})
        await settled()
        return 'left it reading'
      },
    }),
  })
  assert.equal(await house.client().call('a.first'), 1)
  await settled()
  assert.deepEqual([ended, house.inside('p')], [true, 0])
  assert.equal(await house.client().call('a.stuck'), 'left it reading')
  await settled()
  assert.equal(house.inside('p'), 0)
})

test('a stream that is held and never read on ends with the call that opened it', async () => {
  const house = new House()
  let ended = false
  await house.want({
    id: 'p',
    register: methods({
      'a.items*': async function* () { try { yield 1; yield 2 } finally { ended = true } },
      'a.hold': async (_, ctx) => { const reader = ctx.stream('a.items')[Symbol.asyncIterator](); return (await reader.next()).value },
    }),
  })
  assert.equal(await house.client().call('a.hold'), 1)
  await settled()
  assert.deepEqual([ended, house.inside('p')], [true, 0])
})

test('a stream that is never read runs nothing', async () => {
  const house = new House()
  let ran = false
  await house.want({ id: 'p', register: methods({ 'a.items*': () => { ran = true; return [] }, 'a.ask': (_, ctx) => { ctx.stream('a.items'); return 1 } }) })
  assert.equal(await house.client().call('a.ask'), 1)
  assert.deepEqual([ran, house.inside('p')], [false, 0])
})

test('a stream is asked for as one, and a call as one', async () => {
  const house = new House()
  await house.want({
    id: 'p',
    register: methods({
      'a.items*': async function* () { yield 1 },
      'a.one': () => 1,
      'a.wrong': async (_, ctx) => [(await refusal(ctx.call('a.items'))).message, (await refusal(ctx.spawn('a.items', {}, {}))).message, (await refusal(ctx.stream('a.one')[Symbol.asyncIterator]().next())).message],
    }),
  })
  assert.deepEqual(await house.client().call('a.wrong'), ['a.items streams: use ctx.stream', 'a.items streams: use ctx.stream', 'a.one does not stream: use ctx.call'])
})

for (const [what, handle] of [
  ['answers no stream', () => [1, 2]],
  ['throws before it begins', () => { throw new Error('x') }],
  ['throws in the middle', async function* () { yield 1; throw new Error('x') }],
  ['yields what is no JSON', async function* () { yield new Date() }],
  ['has a next that throws', () => ({ [Symbol.asyncIterator]: () => ({ next: () => { throw new Error('x') } }) })],
] as const) {
  test(`a stream whose plugin ${what} is refused as a bug, and nobody stays inside`, async () => {
    const house = new House()
    await house.want({ id: 'p', register: methods({ 'a.items*': handle, 'a.read': async (_, ctx) => { for await (const _item of ctx.stream('a.items')); } }) })
    assert.equal((await house.client().refusal('a.read')).code, 'internal')
    await settled()
    assert.equal(house.inside('p'), 0)
    assert.equal(house.logged('error').length, 1)
  })
}

test('a promise of another make is awaited, and one that fails is refused', async () => {
  const house = new House()
  const thenable = (settle: (resolve: (value: unknown) => void, reject: (error: Error) => void) => void) => Object.fromEntries([['then', (resolve: (value: unknown) => void, reject: (error: Error) => void) => void settle(resolve, reject)]])
  await house.want({ id: 'p', register: methods({ 'a.good': () => thenable((resolve) => resolve('good')), 'a.bad': () => thenable((_, reject) => reject(new Error('x'))) }) })
  assert.equal(await house.client().call('a.good'), 'good')
  assert.equal((await house.client().refusal('a.bad')).code, 'internal')
  assert.equal(house.inside('p'), 0)
})

test('what has settled holds neither a timer nor the whole it was part of', () => {
  let timers = 0
  const counting = { now: () => 0, elapsed: () => 0, id: () => '', every: () => () => {}, after: () => { timers += 1; return () => void (timers -= 1) } }
  const [whole, part] = [new Stopping(), new Stopping()]
  whole.alsoStops(part)
  part.deadline(counting, 100, () => 'late')
  part.unlessSettled(counting, 100, () => {})
  const own = new AbortController()
  part.follow(own.signal)
  part.settle()
  assert.equal(timers, 0)
  own.abort()
  whole.stop(gone)
  assert.equal(part.reason, undefined)
})

test('a deadline needs a timer only where the call outlasts its turn', async () => {
  const house = new House({ deadlineMs: 1000 })
  const end = gate()
  await house.want({ id: 'p', register: methods({ 'a.soon': async (_, ctx) => (await ctx.gateway()).version, 'a.late': () => end.promise }) })
  const set: number[] = []
  const after = house.clock.after.bind(house.clock)
  house.clock.after = (ms, callback) => (set.push(ms), after(ms, callback))
  await house.begin('a.soon').answer
  await settled()
  assert.deepEqual(set, [])
  const late = refusal(house.begin('a.late').answer)
  await settled()
  assert.deepEqual(set, [1000])
  await house.clock.advance(1000)
  assert.equal((await late).code, 'timeout')
  end.resolve()
})
