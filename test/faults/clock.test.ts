/** The wall clock jumps an hour, as an administrator or a time server may set it. Only what tells the time notices. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TestClock, testGateway, type TestGateway } from '@isopod/testing'
import { definePlugin, type Json } from '@isopod/plugin-api'

const HOUR_MS = 60 * 60_000
const PLUGINS = ['chat', 'sessions', 'models', 'tools', 'dialect-rpc', 'openai', 'system']

/** A method that waits until it is stopped. */
const patient = {
  id: 'patient',
  plugin: definePlugin((gateway) => {
    gateway.hooks.methods.tap('patient', (methods) => methods.add({
      name: 'patient.wait',
      scope: 'read',
      deadlineMs: 60_000,
      handle: (_params, { signal }) => new Promise<Json>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    }))
  }),
}

for (const [way, ms] of [['forward', HOUR_MS], ['back', -HOUR_MS]] as const) {
  describe(`a wall clock that jumps an hour ${way}`, () => {
    const jump = (clock: TestClock) => clock.jump(clock.now() + ms)

    /** The status of a request with this token. */
    const knock = async (gateway: TestGateway, token: string) => (await gateway.fetch('/v1/models', { headers: { authorization: `Bearer ${token}` } })).status

    it('neither opens nor closes a lock-out', async () => {
      const clock = new TestClock()
      const gateway = await testGateway({ plugins: PLUGINS, clock, config: { gateway: { limits: { authFailures: 2 } } } })
      assert.deepEqual([await knock(gateway, 'wrong'), await knock(gateway, 'wrong'), await knock(gateway, 'wrong')], [401, 401, 429])
      jump(clock)
      assert.equal(await knock(gateway, 'wrong'), 429)
      await clock.advance(61_000)
      assert.equal(await knock(gateway, 'wrong'), 401)
      await gateway.close()
    })

    it('makes the gateway neither older nor younger', async () => {
      const clock = new TestClock()
      const gateway = await testGateway({ plugins: PLUGINS, clock })
      await clock.advance(7_900)
      jump(clock)
      assert.partialDeepStrictEqual(await gateway.client().call('system.status'), { uptime: 7 })
      await gateway.close()
    })

    it('gives no credential a new minute, and takes none away', async () => {
      const clock = new TestClock()
      const gateway = await testGateway({ plugins: PLUGINS, clock, config: { gateway: { limits: { requestsPerMinute: 2 } } } })
      assert.deepEqual([await knock(gateway, gateway.token), await knock(gateway, gateway.token)], [200, 200])
      jump(clock)
      assert.equal(await knock(gateway, gateway.token), 429)
      await clock.advance(120_000)
      assert.equal(await knock(gateway, gateway.token), 200)
      await gateway.close()
    })

    it('ends no call before its deadline, and none later', async () => {
      const clock = new TestClock()
      const gateway = await testGateway({ plugins: [patient], clock })
      let refusal: { code: string } | undefined
      const waiting = gateway.client().refusal('patient.wait').then((refused) => (refusal = refused))
      await clock.advance(30_000)
      jump(clock)
      await clock.advance(29_999)
      assert.equal(refusal, undefined)
      await clock.advance(1)
      assert.equal((await waiting).code, 'timeout')
      await gateway.close()
    })

    it('loses no run, keeps the order of what was said, and interrupts nothing', async () => {
      const clock = new TestClock()
      const gateway = await testGateway({ plugins: PLUGINS, clock, renewEvery: 0 })
      const client = gateway.client()
      await client.call('chat.run', { message: 'one', sessionKey: 's' })
      const slow = client.call('chat.run', { message: '/slow 5\ntwo', sessionKey: 's' })
      await client.heard('chat.delta', ({ data }) => data['sessionKey'] === 's')
      jump(clock)
      await gateway.renew()
      await slow
      await client.call('chat.run', { message: 'three', sessionKey: 's' })
      const { messages } = (await client.call('session.get', { sessionKey: 's' })) as unknown as { messages: { role: string; content: string; status?: string }[] }
      assert.deepEqual(messages.filter(({ role }) => role === 'user').map(({ content }) => content), ['one', '/slow 5\ntwo', 'three'])
      assert.deepEqual(messages.filter(({ role }) => role === 'assistant').map(({ status }) => status), [undefined, undefined, undefined])
      const { sessions } = (await client.call('session.list')) as unknown as { sessions: { messageCount: number }[] }
      assert.deepEqual(sessions.map(({ messageCount }) => messageCount), [6])
      await gateway.close()
    })

    it('is no stall, and keeps the gateway ready', async () => {
      const clock = new TestClock()
      const gateway = await testGateway({ plugins: PLUGINS, clock })
      jump(clock)
      await clock.advance(1_000)
      assert.equal((await gateway.fetch('/readyz')).status, 200)
      const { uptime } = (await gateway.client().call('system.status')) as { uptime: number }
      assert.ok(uptime >= 0)
      await gateway.close()
    })
  })
}
