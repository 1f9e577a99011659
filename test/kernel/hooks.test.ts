import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallSettled, CallStarting, Plugin, TapAnswer, TapOptions } from '@isopod/plugin-api'
import { all, gate, House, methods, refusal, settled } from './house.ts'

type Tap = (subject: CallStarting) => TapAnswer<CallStarting> | Promise<TapAnswer<CallStarting>>
const starting = (options: string | TapOptions, tap: Tap): Plugin['register'] => (gateway) => gateway.hooks.callStarting.tap(options, tap)
const echo = { id: 'echo', register: methods({ 'a.echo': (params) => params }) }
const byHand = (trail: string[], name: string, options: Partial<TapOptions> = {}) => starting({ name, ...options }, () => void trail.push(name))

test('a change is merged, later taps see it, and so does the handler', async () => {
  const house = new House()
  const seen: unknown[] = []
  await house.want(
    echo,
    { id: 'one', register: starting('t', ({ params }) => ({ change: { params: { ...params, one: 1 } } })) },
    { id: 'two', register: starting('t', ({ params, method }) => { seen.push(method, params); return { change: { params: { ...params, two: 2 } } } }) },
  )
  assert.deepEqual(await house.client().call('a.echo', { zero: 0 }), { zero: 0, one: 1, two: 2 })
  assert.deepEqual(seen, ['a.echo', { zero: 0, one: 1 }])
})

test('a refusal stops the call, names who refused, and later taps are not asked', async () => {
  const house = new House()
  let asked = false
  let handled = false
  await house.want(
    { id: 'p', register: methods({ 'a.echo': () => { handled = true; return 1 } }) },
    { id: 'guard', register: starting('door', () => ({ refuse: 'Not on a Sunday' })) },
    { id: 'later', register: starting('t', () => void (asked = true)) },
  )
  assert.deepEqual(await house.client().refusal('a.echo'), { code: 'forbidden', message: 'Not on a Sunday', details: { by: 'guard/door' } })
  assert.deepEqual([asked, handled], [false, false])
})

test('an async function given to tap refuses like any other', async () => {
  const house = new House()
  await house.want(echo, { id: 'guard', register: starting('t', async () => { await settled(); return { refuse: 'no' } }) })
  assert.equal((await house.client().refusal('a.echo')).message, 'no')
})

for (const [what, tap] of [
  ['throws', () => { throw new Error('secret reason') }],
  ['rejects', () => Promise.reject(new Error('secret reason'))],
  ['answers something else', () => true as never],
  ['answers an object of neither kind', () => ({ allow: true }) as never],
  ['answers a change that is none', () => ({ change: 5 }) as never],
  ['answers what is no JSON', () => ({ change: { params: { at: new Date() } } }) as never],
] as const) {
  test(`a tap that ${what} refuses, and the blame is its plugin's`, async () => {
    const house = new House()
    await house.want(echo, { id: 'guard', version: '2.1.0', register: starting('t', tap) })
    assert.deepEqual(await house.client().refusal('a.echo'), { code: 'forbidden', message: '`guard 2.1.0` watches this and failed', details: { by: 'guard/t' } })
    assert.ok(house.logged('error').some((line) => line.includes('guard/t')))
  })
}

test('a tap that mutates the subject fails, since it is frozen', async () => {
  const house = new House()
  await house.want(echo, { id: 'guard', register: starting('t', (subject) => { (subject.params as Record<string, unknown>)['x'] = 1 }) })
  assert.equal((await house.client().refusal('a.echo')).code, 'forbidden')
})

test('a tap that is silent past its deadline refuses, in 200 ms unless it says otherwise', async () => {
  const house = new House()
  await house.want(echo, { id: 'guard', register: starting('t', () => new Promise(() => {})) })
  const refused = refusal(house.client().call('a.echo'))
  await house.clock.advance(199)
  assert.equal(house.inside('guard'), 1)
  await house.clock.advance(1)
  assert.equal((await refused).message, '`guard 1.0.0` watches this and did not answer within 200 ms')
})

test('a tap may ask for more time, and for 5 seconds at most', async () => {
  const house = new House()
  await house.want(echo, { id: 'guard', register: starting({ name: 't', deadlineMs: 1e9 }, () => new Promise(() => {})) })
  const refused = refusal(house.client().call('a.echo'))
  await house.clock.advance(5000)
  assert.equal((await refused).message, '`guard 1.0.0` watches this and did not answer within 5000 ms')
})

test('a call that is cancelled while a tap is asked is cancelled, and nobody is blamed', async () => {
  const house = new House()
  await house.want(echo, { id: 'guard', register: starting('t', (_subject) => new Promise(() => {})) })
  const leaving = new AbortController()
  const refused = refusal(house.client().call('a.echo', {}, { signal: leaving.signal }))
  await settled()
  leaving.abort()
  await house.clock.advance(1000)
  assert.equal((await refused).code, 'cancelled')
  assert.deepEqual(house.logged('error'), [])
})

test('changed params that no longer fit are the changing plugin\'s fault, not the caller\'s', async () => {
  const house = new House()
  const params = { type: 'object', properties: { n: { type: 'number' } } } as const
  await house.want(
    { id: 'p', register: (gateway) => gateway.hooks.methods.tap('m', (into) => into.add({ name: 'a.n', scope: 'read', params, handle: () => 1 })) },
    { id: 'guard', register: starting('t', () => ({ change: { params: { n: 'x' } } })) },
  )
  assert.equal((await house.client().refusal('a.n')).code, 'internal')
})

test('a change of the caller or the method changes neither', async () => {
  const house = new House()
  await house.want(
    { id: 'p', register: methods({ 'a.who': (_, ctx) => ctx.caller.id, 'a.other': () => 'other' }) },
    { id: 'guard', register: starting('t', ({ caller }) => ({ change: { method: 'a.other', caller: { ...caller, id: 'somebody else' } } })) },
  )
  assert.equal(await house.client({ id: 'me' }).call('a.who'), 'me')
})

test('taps run in the order of plugin ids, and of their own within one', async () => {
  const house = new House()
  const trail: string[] = []
  await house.want({ id: 'c', register: byHand(trail, 'c1') }, { id: 'a', register: all(byHand(trail, 'a2'), byHand(trail, 'a1')) }, { id: 'b', register: byHand(trail, 'b1') }, echo)
  await house.client().call('a.echo')
  assert.deepEqual(trail, ['a2', 'a1', 'b1', 'c1'])
})

test('before puts a tap ahead of another, whichever of the two comes first by id', async () => {
  const house = new House()
  const trail: string[] = []
  await house.want(
    echo,
    { id: 'a', register: byHand(trail, 'x', { before: 'c/z' }) },
    { id: 'b', register: byHand(trail, 'w', { before: 'd/v' }) },
    { id: 'c', register: byHand(trail, 'z', { before: 'b/w' }) },
    { id: 'd', register: byHand(trail, 'v') },
  )
  await house.client().call('a.echo')
  assert.deepEqual(trail, ['x', 'z', 'w', 'v'])
})

test('before something that does not exist fails the plugin, and so does a circle', async () => {
  const house = new House()
  const report = await house.want(
    echo,
    { id: 'lost', register: byHand([], 't', { before: 'nobody/t' }) },
    { id: 'one', register: byHand([], 't', { before: 'two/t' }) },
    { id: 'two', register: byHand([], 't', { before: 'one/t' }) },
  )
  assert.equal(report.failed['lost'], '`lost 1.0.0` taps callStarting before nobody/t, which does not exist')
  assert.match(report.failed['two'] ?? '', /each want to be before the next/)
  assert.equal(await house.client().call('a.echo').then(() => 'runs'), 'runs')
})

test('a tap that hears is told how a call ended, and its own failure is only logged', async () => {
  const house = new House()
  const facts: CallSettled[] = []
  const told = gate()
  await house.want(
    { id: 'p', register: methods({ 'a.good': () => 1, 'a.bad': () => { throw new Error('x') } }) },
    { id: 'ear', register: (gateway) => gateway.hooks.callSettled.tap('t', (fact) => { facts.push(fact); if (facts.length === 2) told.resolve(); throw new Error('deaf') }) },
  )
  assert.equal(await house.client().call('a.good'), 1)
  assert.equal((await house.client().refusal('a.bad')).code, 'internal')
  await told.promise
  await settled()
  assert.deepEqual(facts.map(({ method, refusal: code }) => [method, code]), [['a.good', undefined], ['a.bad', 'internal']])
  assert.ok(house.logged('error').includes('`ear/t` failed to hear callSettled'))
})

test('a call that outran its deadline is told as a timeout, when it is answered and not when its handler ends', async () => {
  const house = new House({ deadlineMs: 10 })
  const facts: CallSettled[] = []
  const end = gate()
  await house.want(
    { id: 'p', register: methods({ 'a.slow': () => end.promise.then(() => 'ready') }) },
    { id: 'ear', register: (gateway) => gateway.hooks.callSettled.tap('t', (fact) => void facts.push(fact)) },
  )
  const refused = refusal(house.client().call('a.slow'))
  await house.clock.advance(10)
  assert.equal((await refused).code, 'timeout')
  end.resolve()
  await settled()
  assert.deepEqual(facts.map((fact) => fact.refusal), ['timeout'])
})

test('a tap that hears is told of a cancelled call as well', async () => {
  const house = new House()
  const facts: CallSettled[] = []
  await house.want(
    { id: 'p', register: methods({ 'a.slow': () => new Promise(() => {}) }) },
    { id: 'ear', register: (gateway) => gateway.hooks.callSettled.tap('t', async (fact, ctx) => { await settled(); if (!ctx.signal.aborted) facts.push(fact) }) },
  )
  const leaving = new AbortController()
  const refused = refusal(house.client().call('a.slow', {}, { signal: leaving.signal }))
  await settled()
  leaving.abort()
  await house.clock.advance(1000)
  assert.equal((await refused).code, 'cancelled')
  await settled()
  await settled()
  assert.deepEqual(facts.map((fact) => fact.refusal), ['cancelled'])
})
