/** Health and status as a watcher sees them, in this process and behind the wall. */
import { after, before, describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { testGateway, type TestGateway } from '@isopod/testing'

for (const wall of [false, true]) {
  describe(wall ? 'behind the wall' : 'in the gateway\'s process', () => {
    let gateway: TestGateway
    before(async () => {
      gateway = await testGateway({ plugins: ['system'], wall })
    })
    after(() => gateway.close())

    for (const [path, body] of [
      ['/health', { ok: true, status: 'healthy' }],
      ['/health?verbose=1', { ok: true, status: 'healthy' }],
      ['/healthz', { ok: true, status: 'live' }],
      ['/ready', { ok: true, status: 'ready' }],
      ['/readyz', { ok: true, status: 'ready' }],
    ] as const) {
      test(`${path} needs no credential`, async () => {
        const reply = await gateway.fetch(path, { headers: { authorization: '' } })
        assert.deepEqual([reply.status, await reply.json()], [200, body])
      })
    }

    test('/status needs a credential', async () => {
      assert.equal((await gateway.fetch('/status', { headers: { authorization: '' } })).status, 401)
      const reply = await gateway.fetch('/status')
      const { version, uptime, ...rest } = await reply.json() as { version: string; uptime: number; [more: string]: unknown }
      assert.deepEqual(rest, { status: 'ok', gateway: { port: 1, bind: '127.0.0.1', auth: 'token' }, channels: {} })
      assert.ok(version.length > 0 && Number.isInteger(uptime))
    })

    test('/status says how the channels are, where there are any', async (t) => {
      const many = await testGateway({ plugins: ['system', 'channels', new URL('../../../fixtures/plugins/pigeons/', import.meta.url)], wall })
      t.after(() => many.close())
      const { channels } = await (await many.fetch('/status')).json() as { channels: unknown }
      assert.deepEqual(channels, { discord: 'connected', signal: 'not_configured' })
    })

    test('ping answers whoever may read, and nobody else', async () => {
      assert.equal((await gateway.client().call('system.ping') as { pong: boolean }).pong, true)
      assert.equal((await gateway.client({ scopes: [] }).refusal('system.ping')).code, 'forbidden')
    })
  })
}
