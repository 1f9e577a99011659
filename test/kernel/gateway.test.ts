import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { definePlugin } from '@isopod/plugin-api'
import { testGateway, type TestGatewayOptions } from '@isopod/testing'
import { methods, settled } from './house.ts'

const say = { id: 'one', plugin: definePlugin(methods({ 'one.say': () => 'one' })) }

async function open(t: TestContext, options: Partial<TestGatewayOptions> = {}) {
  const gateway = await testGateway({ plugins: [say], renewEvery: 0, ...options })
  t.after(() => gateway.close())
  return gateway
}

test('a change of the config forgets no count of calls', async (t) => {
  const gateway = await open(t, { config: { gateway: { limits: { callsPerMinute: 2 } } } })
  const client = gateway.client()
  await client.call('one.say')
  await client.call('one.say')
  await gateway.config.update({ log: { level: 'warn' } }, { revision: gateway.config.revision })
  await gateway.running.settled()
  assert.equal((await client.refusal('one.say')).code, 'rate_limited')
})

test('a changed limit is in force at once', async (t) => {
  const gateway = await open(t, { config: { gateway: { limits: { callsPerMinute: 1 } } } })
  const client = gateway.client()
  await client.call('one.say')
  assert.equal((await client.refusal('one.say')).code, 'rate_limited')
  await gateway.config.update({ gateway: { limits: { callsPerMinute: 0 } } }, { revision: gateway.config.revision })
  assert.equal(await client.call('one.say'), 'one')
})

test('authentication cannot be switched off by a change while everybody can reach the gateway', async (t) => {
  const gateway = await open(t, { config: { gateway: { bind: 'all' } } })
  // What is bound stays bound until the next start, so taking the bind back does not make it safe.
  await gateway.config.update({ gateway: { bind: 'loopback', auth: { enabled: false } } }, { revision: gateway.config.revision })
  await gateway.running.settled()
  await assert.rejects(gateway.connect('/', { authorization: 'Bearer wrong' }), /401/)
  const errors = gateway.log.recent({ level: 'error' }).entries.map(({ message }) => message)
  assert.ok(errors.some((line) => line.startsWith('gateway.auth stays as it was. Refusing to listen on every address')))
})

test('a gateway that cannot listen stops the plugins it had started', async () => {
  let stopped = 0
  const plugin = definePlugin({ register: () => {}, start: () => {}, stop: () => void (stopped += 1) })
  await assert.rejects(testGateway({ plugins: [{ id: 'p', plugin }], config: { gateway: { bind: 'all', auth: { enabled: false } } } }))
  await settled()
  // It is refused before anything is started at all.
  assert.equal(stopped, 0)
})

test('closing twice is closing once', async () => {
  let stopped = 0
  const plugin = definePlugin({ register: () => {}, start: () => {}, stop: () => void (stopped += 1) })
  const gateway = await testGateway({ plugins: [{ id: 'p', plugin }] })
  await Promise.all([gateway.running.close(), gateway.running.close()])
  await gateway.close()
  assert.equal(stopped, 1)
})
