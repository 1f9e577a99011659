import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RpcError, type Json, type JsonObject } from '@isopod/plugin-api'
import { Call } from '../../kernel/call.ts'
import { dispatch } from '../../kernel/dispatch.ts'
import { gate, House, methods, refusal, settled } from './house.ts'

const stranger = (house: House, method: string) =>
  refusal((async () => dispatch(new Call({ core: house.kernel.core, caller: undefined, method }), {}))())

test('a stranger is unauthorized whether the method exists or not', async () => {
  const house = new House()
  await house.want({ id: 'p', register: methods({ 'thing.get': () => 1 }) })
  assert.equal((await stranger(house, 'thing.get')).code, 'unauthorized')
  assert.deepEqual(await stranger(house, 'thing.none'), await stranger(house, 'thing.get'))
})

test('the rate is asked before the method, and says how long to wait', async () => {
  const house = new House({ overRate: () => 7 })
  const refused = await house.client().refusal('thing.none')
  assert.deepEqual(refused, { code: 'rate_limited', message: 'Too many calls; try again in 7 s', retryable: true, retryAfterSeconds: 7 })
})

test('a call that a plugin makes is not counted against the credential', async () => {
  let counted = 0
  const house = new House({ overRate: () => void (counted += 1) })
  await house.want({ id: 'p', register: methods({ 'a.outer': (_, ctx) => ctx.call('a.inner'), 'a.inner': () => 1 }) })
  await house.client().call('a.outer')
  assert.equal(counted, 1)
})

test('a gateway that stops refuses what comes from outside and finishes what is under way', async () => {
  let closing = false
  const entered = gate()
  const house = new House({ closing: () => closing })
  await house.want({ id: 'p', register: methods({ 'a.outer': async (_, ctx) => (await entered.promise, ctx.call('a.inner')), 'a.inner': () => 'done' }) })
  const { answer } = house.begin('a.outer')
  closing = true
  assert.deepEqual(await house.client().refusal('a.inner'), { code: 'unavailable', message: 'The gateway is stopping', retryable: true })
  entered.resolve()
  assert.equal(await answer, 'done')
})

test('an unknown method and an internal one look the same from outside', async () => {
  const house = new House()
  await house.want({ id: 'p', register: methods({ 'a.hidden!': () => 1, 'a.open': (_, ctx) => ctx.call('a.hidden') }) })
  assert.deepEqual(await house.client().refusal('a.hidden'), { code: 'method_not_found', message: 'There is no method a.hidden' })
  assert.deepEqual(await house.client().refusal('a.none'), { code: 'method_not_found', message: 'There is no method a.none' })
  assert.equal(await house.client().call('a.open'), 1)
})

test('the scope is asked before the params, and its refusal names it', async () => {
  const house = new House()
  await house.want({ id: 'p', register: (gateway) => gateway.hooks.methods.tap('m', (into) => into.add({ name: 'a.write', scope: 'admin', params: { type: 'object', required: ['x'] }, handle: () => 1 })) })
  assert.deepEqual(await house.client({ scopes: ['read', 'write'] }).refusal('a.write'), { code: 'forbidden', message: 'a.write needs the scope `admin`' })
})

test('who may write may read, and nothing else follows from anything', async () => {
  const house = new House()
  const scopes = ['read', 'write', 'admin', 'approve'] as const
  await house.want({ id: 'p', register: (gateway) => gateway.hooks.methods.tap('m', (into) => scopes.forEach((scope) => into.add({ name: `a.${scope}`, scope, handle: () => scope }))) })
  for (const held of scopes) {
    const client = house.client({ scopes: [held] })
    for (const needed of scopes) {
      if (needed === held || (held === 'write' && needed === 'read')) assert.equal(await client.call(`a.${needed}`), needed)
      else assert.equal((await client.refusal(`a.${needed}`)).code, 'forbidden', `${held} for ${needed}`)
    }
  }
})

test('params that do not fit are refused by the path of the first field', async () => {
  const house = new House()
  const params = {
    type: 'object',
    required: ['messages'],
    additionalProperties: false,
    properties: { messages: { type: 'array', items: { type: 'object', required: ['role'], properties: { role: { enum: ['user', 'system'] } } } } },
  } as const
  await house.want({ id: 'p', register: (gateway) => gateway.hooks.methods.tap('m', (into) => into.add({ name: 'a.run', scope: 'read', params, handle: () => 1 })) })
  const client = house.client()
  assert.deepEqual(await client.refusal('a.run'), { code: 'invalid_request', message: 'messages: is required', param: 'messages' })
  assert.equal((await client.refusal('a.run', { messages: [{ role: 'user' }, {}] })).param, 'messages[1].role')
  assert.deepEqual(await client.refusal('a.run', { messages: [{ role: 'x' }] }), { code: 'invalid_request', message: 'messages[0].role: must be one of "user", "system"', param: 'messages[0].role' })
  assert.equal((await client.refusal('a.run', { messages: [], extra: 1 })).param, 'extra')
})

test('a schema that is none is its plugin\'s bug, in the log under its name', async () => {
  const house = new House()
  await house.want({ id: 'p', register: (gateway) => gateway.hooks.methods.tap('m', (into) => into.add({ name: 'a.run', scope: 'read', params: { type: 'objekt' }, handle: () => 1 })) })
  assert.deepEqual(await house.client().refusal('a.run'), { code: 'internal', message: 'Internal error' })
  assert.deepEqual(house.logged('error'), ['the schema of a.run of p 1.0.0 failed'])
})

test('an answer that is not there by the deadline is a timeout, and the signal says so', async () => {
  const house = new House({ deadlineMs: 1000 })
  const reasons: unknown[] = []
  await house.want({ id: 'p', register: methods({ 'a.slow': (_, ctx) => new Promise(() => ctx.signal.addEventListener('abort', () => reasons.push(ctx.signal.reason))) }) })
  const answer = refusal(house.client().call('a.slow'))
  await house.clock.advance(999)
  assert.deepEqual(reasons, [])
  await house.clock.advance(1)
  assert.equal((await answer).code, 'timeout')
  assert.equal((await answer).message, 'a.slow of p 1.0.0 took longer than 1000 ms')
  assert.deepEqual(reasons.map((reason) => (reason as RpcError).code), ['timeout'])
})

test('an answer that is ready after the deadline is refused, even before the timer has fired', async () => {
  const house = new House({ deadlineMs: 1000 })
  let elapsed = 0
  const late = { ...house.kernel.core, clock: { now: () => 0, elapsed: () => elapsed, after: () => () => {}, every: () => () => {}, id: () => 'x' } }
  const ready = gate()
  await house.want({ id: 'p', register: methods({ 'a.slow': async () => (await ready.promise, 'ready') }) })
  const call = new Call({ core: late, caller: { id: 'x', scopes: ['read'], origin: 'owner' }, method: 'a.slow' })
  const answer = refusal(Promise.resolve(dispatch(call, {})))
  elapsed = 1001
  ready.resolve()
  assert.equal((await answer).code, 'timeout')
})

test('the deadline counts from arrival, so the time its taps took is gone', async () => {
  const house = new House({ deadlineMs: 1000 })
  const asked = gate()
  await house.want(
    { id: 'p', register: methods({ 'a.slow': () => new Promise(() => {}) }) },
    { id: 'guard', register: (gateway) => gateway.hooks.callStarting.tap({ name: 'g', deadlineMs: 900 }, () => asked.promise) },
  )
  const answer = refusal(house.client().call('a.slow'))
  await house.clock.advance(600)
  asked.resolve()
  await house.clock.advance(400)
  assert.equal((await answer).code, 'timeout')
})

test('a method says its own deadline, and 0 is none', async () => {
  const house = new House({ deadlineMs: 1000 })
  const end = gate()
  await house.want({ id: 'p', register: (gateway) => gateway.hooks.methods.tap('m', (into) => into.add({ name: 'a.long', scope: 'read', deadlineMs: 0, handle: async () => (await end.promise, 'long') })) })
  const answer = house.client().call('a.long')
  await house.clock.advance(10_000_000)
  end.resolve()
  assert.equal(await answer, 'long')
})

for (const [kind, handle] of [
  ['at once', () => { throw new Error('the password is hunter2') }],
  ['later', async () => { throw new Error('the password is hunter2') }],
] as const) {
  test(`a bug thrown ${kind} crosses as internal and nothing else, and is logged with plugin and cause`, async () => {
    const house = new House()
    await house.want({ id: 'p', register: methods({ 'a.bug': handle }) })
    assert.deepEqual(await house.client().refusal('a.bug'), { code: 'internal', message: 'Internal error' })
    const [line] = house.log.recent({ level: 'error' }).entries
    assert.equal(line?.message, 'a.bug of p 1.0.0 failed')
    assert.match(JSON.stringify(line), /hunter2/)
    assert.match(JSON.stringify(line), /"plugin":"p 1.0.0"/)
    assert.equal(house.inside('p'), 0)
  })
}

test('a bug is logged once, under the plugin it is in, however many calls it crosses', async () => {
  const house = new House()
  await house.want({ id: 'p', register: methods({ 'a.bug': () => { throw new Error('x') } }) }, { id: 'q', register: methods({ 'b.outer': (_, ctx) => ctx.call('a.bug') }) })
  assert.equal((await house.client().refusal('b.outer')).code, 'internal')
  assert.deepEqual(house.logged('error'), ['a.bug of p 1.0.0 failed'])
})

test('an answer that is no JSON is a bug that names plugin, method and place', async () => {
  const house = new House()
  await house.want({ id: 'p', register: methods({ 'a.date': () => ({ when: { at: new Date(0) } }), 'a.late': async () => new Map() }) })
  assert.equal((await house.client().refusal('a.date')).message, 'a.date of p 1.0.0 answered a Date at .when.at; use its toISOString() instead')
  assert.match((await house.client().refusal('a.late')).message, /^a\.late of p 1\.0\.0 answered a Map/)
  assert.equal(house.inside('p'), 0)
})

test('a refusal from another copy of the API crosses as it is, its details as JSON', async () => {
  const house = new House()
  const foreign = (details: unknown) => Object.assign(new Error('Not today'), { name: 'RpcError', code: 'conflict', details, param: 7, retryAfterSeconds: Number.NaN })
  await house.want({ id: 'p', register: methods({ 'a.no': () => { throw foreign({ because: 1 }) }, 'a.bad': () => { throw foreign({ at: 1n }) } }) })
  assert.deepEqual(await house.client().refusal('a.no'), { code: 'conflict', message: 'Not today', details: { because: 1 } })
  assert.deepEqual(await house.client().refusal('a.bad'), { code: 'internal', message: 'Internal error' })
})

test('params are frozen all through, and what a plugin passes on is a copy', async () => {
  const house = new House()
  let seen: JsonObject = {}
  const mine = { list: [1] }
  await house.want({
    id: 'p',
    register: methods({
      'a.take': (params: JsonObject) => { seen = params; return null },
      'a.give': async (_, ctx) => { const answer = ctx.call('a.take', mine); mine.list.push(2); return answer },
      'a.spoil': (params: { list: Json[] }) => params.list.push(1),
    }),
  })
  await house.client().call('a.give')
  assert.deepEqual(seen, { list: [1] })
  assert.ok(Object.isFrozen(seen) && Object.isFrozen(seen['list']))
  assert.equal((await house.client().refusal('a.spoil', { list: [] })).code, 'internal')
})

test('an answer is a frozen copy: its plugin cannot change it afterwards', async () => {
  const house = new House()
  const kept = { deep: { count: 1 } }
  await house.want({ id: 'p', register: methods({ 'a.sync': () => kept, 'a.async': async () => kept }) })
  for (const method of ['a.sync', 'a.async']) {
    const answer = (await house.client().call(method)) as typeof kept
    kept.deep.count += 1
    assert.notEqual(answer.deep.count, kept.deep.count)
    assert.ok(Object.isFrozen(answer.deep))
  }
})

test('what a plugin passes on must be an object', async () => {
  const house = new House()
  await house.want({ id: 'p', register: methods({ 'a.in': () => 1, 'a.out': (_, ctx) => ctx.call('a.in', [1] as never) }) })
  assert.match((await house.client().refusal('a.out')).message, /the params of a\.in, from p 1\.0\.0, must be an object/)
})

test('plugins that call each other in circles are stopped, and told so', async () => {
  const house = new House()
  await house.want({ id: 'p', register: methods({ 'a.round': (_, ctx) => ctx.call('a.round') }) })
  assert.match((await house.client().refusal('a.round')).message, /do plugins call each other in circles\?/)
  await settled()
  assert.equal(house.inside('p'), 0)
})

test('a handler is given its context and not the call behind it', async () => {
  const house = new House()
  let reach: unknown[] = []
  await house.want({ id: 'p', register: methods({ 'a.look': (_, ctx) => { reach = ['core', 'ring', 'enter', 'cancel', 'generation', 'sink'].filter((name) => name in ctx); return null } }) })
  await house.client().call('a.look')
  assert.deepEqual(reach, [])
})

test('a caller cannot be changed by a plugin', async () => {
  const house = new House()
  await house.want({ id: 'p', register: methods({ 'a.grab': (_, ctx) => (ctx.caller.scopes as string[]).push('admin') }) })
  assert.equal((await house.client({ scopes: ['read'] }).refusal('a.grab')).code, 'internal')
})

