import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { definePlugin, type JsonObject } from '@isopod/plugin-api'
import { testGateway, type TestGatewayOptions } from '@isopod/testing'
import { methods } from './house.ts'

const plugin = (id: string, needs: Record<string, string> = {}) => ({ id, needs, plugin: definePlugin(methods({ [`${id}.say`]: (_, ctx) => { ctx.emit(`${id}.said`, {}); return id }, [`${id}.hidden!`]: () => 1 })) })

async function open(t: TestContext, options: Partial<TestGatewayOptions> = {}) {
  const gateway = await testGateway({ plugins: [plugin('one'), plugin('two')], ...options })
  t.after(() => gateway.close())
  return gateway
}

test('plugin.disable takes effect before it answers, and plugin.enable brings it back', async (t) => {
  const client = (await open(t)).client()
  const off = (await client.call('plugin.disable', { id: 'one' })) as JsonObject
  assert.equal(off['state'], 'disabled')
  assert.equal((await client.refusal('one.say')).code, 'method_not_found')
  assert.equal(await client.call('two.say'), 'two')
  assert.equal(((await client.call('plugin.enable', { id: 'one' })) as JsonObject)['state'], 'ready')
  assert.equal(await client.call('one.say'), 'one')
})

test('a plugin that is not there cannot be switched, nor can the kernel', async (t) => {
  const client = (await open(t)).client()
  for (const id of ['none', 'kernel', '__proto__']) assert.equal((await client.refusal('plugin.disable', { id })).code, 'not_found')
})

test('no plugin of the config can be named kernel', async (t) => {
  const gateway = await open(t)
  await gateway.config.update({ plugins: { kernel: { from: '/nowhere', trust: 'full' } } }, { revision: gateway.config.revision })
  await gateway.running.settled()
  assert.equal(((await gateway.client().call('plugin.list')) as { plugins: unknown[] }).plugins.length, 2)
})

for (const [method, params, scope] of [
  ['plugin.disable', { id: 'one' }, 'admin'], ['plugin.enable', { id: 'one' }, 'admin'], ['token.list', {}, 'admin'], ['token.create', { name: 'x', scopes: ['read'] }, 'admin'], ['token.revoke', { token: 'x' }, 'admin'],
  ['plugin.list', {}, 'read'], ['plugin.inspect', { id: 'one' }, 'read'], ['system.methods', {}, 'read'], ['events.subscribe', { events: ['health'] }, 'read'],
] as const) {
  test(`${method} needs the scope ${scope}`, async (t) => {
    const gateway = await open(t)
    // Who may write may read, so the scope `approve` is what is left beside either.
    const scopes = scope === 'admin' ? (['read', 'write', 'approve'] as const) : (['approve'] as const)
    assert.deepEqual(await gateway.client({ scopes }).refusal(method, params as never), { code: 'forbidden', message: `${method} needs the scope \`${scope}\`` })
  })
}

test('system.methods lists what may be called from outside, with schemas and who serves it', async (t) => {
  const { methods: listed } = (await (await open(t)).client().call('system.methods')) as unknown as { methods: { name: string; plugin: string; params?: object }[] }
  const names = listed.map(({ name }) => name)
  assert.deepEqual(names, [...names].sort())
  assert.ok(names.includes('one.say') && names.includes('plugin.list') && !names.includes('one.hidden'))
  assert.equal(listed.find(({ name }) => name === 'one.say')?.plugin, 'one 1.0.0')
  assert.ok(listed.find(({ name }) => name === 'plugin.inspect')?.params)
})

test('plugin.inspect tells what a plugin contributes', async (t) => {
  const shown = (await (await open(t)).client().call('plugin.inspect', { id: 'one' })) as JsonObject
  assert.deepEqual([shown['state'], shown['methods'], shown['needs']], ['ready', ['one.say', 'one.hidden'], {}])
})

test('an event reaches those who subscribed to it, and no longer once they left off', async (t) => {
  const client = (await open(t, { renewEvery: 0 })).client()
  const deaf = (await open(t)).client()
  assert.deepEqual(await client.call('events.subscribe', { events: ['one.said', 'two.said'] }), { events: ['one.said', 'two.said'] })
  await client.call('one.say')
  assert.deepEqual(await client.call('events.unsubscribe', { events: ['one.said'] }), { events: ['two.said'] })
  await client.call('one.say')
  assert.deepEqual([client.events.map(({ name }) => name), deaf.events], [['one.said'], []])
})

test('a name that is no event cannot be subscribed to', async (t) => {
  assert.equal((await (await open(t)).client().refusal('events.subscribe', { events: ['x'.repeat(65)] })).code, 'invalid_request')
})

test('a token is shown once, works no wider than its maker, and lasts a hundred years at most', async (t) => {
  const client = (await open(t)).client()
  const made = (await client.call('token.create', { name: 'phone', scopes: ['read'] })) as JsonObject
  assert.equal(typeof made['token'], 'string')
  const listed = JSON.stringify(await client.call('token.list'))
  assert.match(listed, /phone/)
  assert.ok(!listed.includes(String(made['token'])))
  assert.equal((await client.refusal('token.create', { name: 'x', scopes: ['read'], expiresInDays: 1e300 })).param, 'expiresInDays')
  const narrow = (await open(t)).client({ scopes: ['admin'] })
  assert.equal((await narrow.refusal('token.create', { name: 'x', scopes: ['approve'] })).code, 'forbidden')
})
