import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePlugin, type Context } from '@isopod/plugin-api'
import { testGateway } from '@isopod/testing'
import { CANCEL_GRACE_MS, DRAIN_MS } from '../../kernel/limits.ts'
import { gate, House, methods, refusal, settled, type Spec } from '../kernel/house.ts'

/** A plugin whose version answers for itself, and which says when it is stopped. */
const versioned = (version: string, stopped: string[] = [], more: Record<string, (params: never, ctx: Context) => unknown> = {}): Spec => ({
  id: 'p', version, register: methods({ 'p.version': () => version, ...more }), start: () => {}, stop: () => void stopped.push(version),
})

test('a call that began before a swap ends with the old plugins, its nested calls too', async () => {
  const house = new House()
  const go = gate()
  const outer: Spec = { id: 'outer', register: methods({ 'outer.ask': async (_, ctx) => [await ctx.call('p.version'), (await go.promise, await ctx.call('p.version'))] }) }
  const stopped: string[] = []
  await house.want(outer, versioned('1.0.0', stopped))
  const { answer } = house.begin('outer.ask')
  await settled()
  await house.want(outer, versioned('2.0.0'))
  await settled()
  assert.equal(await house.client().call('p.version'), '2.0.0')
  assert.deepEqual(stopped, [])
  go.resolve()
  assert.deepEqual(await answer, ['1.0.0', '1.0.0'])
  await settled()
  assert.deepEqual(stopped, ['1.0.0'])
})

test('a call that waits for a tap keeps alive what it began on', async () => {
  const house = new House()
  const asked = gate()
  const stopped: string[] = []
  const guard: Spec = { id: 'guard', register: (gateway) => gateway.hooks.callStarting.tap('t', () => asked.promise) }
  await house.want(guard, versioned('1.0.0', stopped))
  const { answer } = house.begin('p.version')
  await settled()
  await house.want(guard, versioned('2.0.0'))
  await settled()
  asked.resolve()
  assert.equal(await answer, '1.0.0')
  await settled()
  assert.deepEqual(stopped, ['1.0.0'])
})

test('after 30 seconds what is still inside is cancelled as unavailable, retryable, and the old instance is stopped', async () => {
  const house = new House()
  const stopped: string[] = []
  const slow = { 'p.slow': (_: unknown, ctx: Context) => new Promise((_resolve, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason as Error))) }
  await house.want(versioned('1.0.0', stopped, slow))
  const old = house.kernel.generation.instances.get('p')
  const { answer } = house.begin('p.slow')
  const refused = refusal(answer)
  await house.want(versioned('2.0.0'))
  await house.clock.advance(DRAIN_MS - 1)
  assert.deepEqual([old?.state, old?.inside, stopped], ['draining', 1, []])
  await house.clock.advance(1)
  const { code, retryable, message } = await refused
  assert.deepEqual([code, retryable, message], ['unavailable', true, 'p was replaced while this ran; try again'])
  await settled()
  assert.deepEqual([old?.state, old?.inside, stopped], ['stopped', 0, ['1.0.0']])
})

test('a handler that ignores being cancelled cannot hold the old instance for ever', async () => {
  const house = new House()
  const stopped: string[] = []
  await house.want(versioned('1.0.0', stopped, { 'p.deaf': () => new Promise(() => {}) }))
  const refused = refusal(house.begin('p.deaf').answer)
  await house.want(versioned('2.0.0'))
  await house.clock.advance(DRAIN_MS + CANCEL_GRACE_MS)
  assert.equal((await refused).code, 'unavailable')
  assert.deepEqual(stopped, ['1.0.0'])
})

test('a call on an old generation that comes to a stopped instance is unavailable and does not enter it', async () => {
  const house = new House()
  const go = gate()
  const outer: Spec = { id: 'outer', register: methods({ 'outer.ask': async (_, ctx) => (await go.promise, ctx.call('p.version')) }) }
  await house.want(outer, versioned('1.0.0'))
  const { answer } = house.begin('outer.ask')
  await house.want(outer, versioned('2.0.0'))
  await house.clock.advance(DRAIN_MS)
  go.resolve()
  const refused = await refusal(answer)
  assert.deepEqual([refused.code, refused.retryable], ['unavailable', true])
})

test('everything is stopped in the reverse order of needs, within one drain', async () => {
  const house = new House()
  const order: string[] = []
  const one = (id: string, needs: Record<string, string> = {}): Spec => ({ id, needs, start: () => {}, stop: async () => { await settled(); order.push(id) }, register: methods({ [`${id}.hang`]: () => new Promise(() => {}) }) })
  await house.want(one('a'), one('b', { a: '*' }), one('c', { b: '*' }))
  for (const id of ['a', 'b', 'c']) house.begin(`${id}.hang`)
  const stopping = house.kernel.stop(5000)
  await house.clock.advance(5000 + CANCEL_GRACE_MS)
  await stopping
  assert.deepEqual(order, ['c', 'b', 'a'])
  assert.deepEqual((await house.want(one('d'))).failed, { kernel: 'the gateway is stopping' })
})

test('a plugin\'s own acts go on after it was started, into whatever is current, and end when it is stopped', async () => {
  const house = new House()
  let ctx: Pick<Context, 'call' | 'signal'> | undefined
  const actor: Spec = { id: 'actor', start: (given) => void (ctx = given) }
  await house.want(actor, versioned('1.0.0'))
  assert.equal(await ctx?.call('p.version'), '1.0.0')
  await house.want(actor, versioned('2.0.0'))
  assert.equal(await ctx?.call('p.version'), '2.0.0')
  await house.want(versioned('2.0.0'))
  await settled()
  assert.equal(ctx?.signal.aborted, true)
  assert.equal((await refusal(ctx?.call('p.version') ?? Promise.resolve())).code, 'cancelled')
})

test('two changes at once are applied one after the other', async () => {
  const house = new House()
  const begun: string[] = []
  const slow = (version: string, until: Promise<void>): Spec => ({ id: 'p', version, start: async () => { begun.push(version); await until } })
  const [first, second] = [gate(), gate()]
  const changes = [house.want(slow('1.0.0', first.promise)), house.want(slow('2.0.0', second.promise))]
  await settled()
  assert.deepEqual(begun, ['1.0.0'])
  first.resolve()
  await changes[0]
  await settled()
  assert.deepEqual(begun, ['1.0.0', '2.0.0'])
  second.resolve()
  assert.deepEqual((await Promise.all(changes)).map(({ generation }) => generation), [1, 2])
})

test('what nothing has changed about is kept, and a changed config brings a new instance', async () => {
  const house = new House()
  const spec = (n: number): Spec => ({ id: 'p', config: { n }, register: methods({ 'p.n': (_, ctx) => ctx.config['n'] }) })
  await house.want(spec(1))
  const before = house.kernel.generation.instances.get('p')
  assert.deepEqual((await house.want(spec(1))).brought, [])
  assert.equal(house.kernel.generation.instances.get('p'), before)
  await house.want(spec(2))
  assert.equal(await house.client().call('p.n'), 2)
})

test('a stop that throws is logged, and hurts nobody', async () => {
  const house = new House()
  await house.want({ id: 'p', start: () => {}, stop: () => { throw new Error('x') } })
  await house.want()
  await settled()
  assert.ok(house.logged('error').includes('p 1.0.0 could not be stopped'))
})

test('a secret in a config reaches the plugin as a reference, frozen, and is revealed to a trusted one only', async () => {
  const house = new House()
  const schema = { type: 'object', properties: { key: { type: 'string', secret: true }, by: { type: 'object', additionalProperties: { type: 'string', secret: true } } } }
  const spec: Spec = {
    id: 'p', schema, config: { key: 'hunter2', by: { 'a.b': 'other secret' } },
    register: methods({
      'p.config': (_, ctx) => ctx.config,
      'p.reveal': async (_, ctx) => [await ctx.reveal(ctx.config['key'] ?? null), await ctx.reveal((ctx.config['by'] as Record<string, never>)['a.b'] ?? null), (await refusal(ctx.reveal({ secret: 'none' }))).code, Object.isFrozen(ctx.config['by'])],
      'p.log': (_, ctx) => { ctx.log.error('the key is hunter2'); return null },
    }),
  }
  await house.want(spec)
  const client = house.client()
  assert.doesNotMatch(JSON.stringify(await client.call('p.config')), /hunter2|other secret/)
  assert.deepEqual(await client.call('p.reveal'), ['hunter2', 'other secret', 'not_found', true])
  await client.call('p.log')
  assert.doesNotMatch(JSON.stringify(house.log.recent().entries), /hunter2/)
})

test('a secret marked where it could not be kept from the plugin fails it', async () => {
  const house = new House()
  const schema = { type: 'object', anyOf: [{ properties: { key: { type: 'string', secret: true } } }] }
  assert.match((await house.want({ id: 'p', schema, config: { key: 'x' } })).failed['p'] ?? '', /marks a secret at \/anyOf\/0\/properties\/key/)
})

test('a request whose row is still being read when its plugin is replaced is answered by what it began on', async (t) => {
  const [decoding, go] = [gate(), gate()]
  const stopped: number[] = []
  let born = 0
  const plugin = definePlugin({
    register: (gateway) => {
      gateway.hooks.methods.tap('m', (into) => into.add({ name: 'a.one', scope: 'read', handle: () => ({ stopped: stopped.length }) }))
      gateway.hooks.routes.tap('r', (into) => into.add({ verb: 'GET', path: '/one', call: 'a.one', decode: async () => { decoding.resolve(); await go.promise; return { params: {} } } }))
    },
    start: () => void (born += 1),
    stop: () => void stopped.push(born),
  })
  const gateway = await testGateway({ plugins: [{ id: 'p', plugin }], renewEvery: 0 })
  t.after(() => gateway.close())
  const reply = gateway.fetch('/one')
  await decoding.promise
  await gateway.renew()
  await settled()
  go.resolve()
  assert.deepEqual([(await reply).status, await (await reply).json()], [200, { stopped: 0 }])
})
