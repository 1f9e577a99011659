/** Tools by plain HTTP, in both spellings, beside a tool of another plugin. */
import { after, before, describe, test } from 'node:test'
import assert from 'node:assert/strict'
import type { JsonObject } from '@isopod/plugin-api'
import { testGateway, type TestGateway } from '@isopod/testing'
import { verifies } from '../../../test/requirements.ts'

const WEATHER = new URL('../../../fixtures/plugins/weather/', import.meta.url)

for (const wall of [false, true]) {
  describe(wall ? 'behind the wall' : 'in the gateway\'s process', () => {
    let gateway: TestGateway
    before(async () => {
      gateway = await testGateway({ plugins: ['tools', WEATHER], wall })
    })
    after(() => gateway.close())

    const invoke = async (body: unknown, path = '/api/tools/invoke') => {
      const reply = await gateway.fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
      return { status: reply.status, body: (await reply.json()) as JsonObject }
    }
    const refusal = ({ status, body }: Awaited<ReturnType<typeof invoke>>) => {
      const { code, param } = body['error'] as JsonObject
      return [status, code, param]
    }

    test('a tool is run, and its result told', async () => {
      verifies('004:tools-invoke')
      const { status, body } = await invoke({ tool: 'weather', params: { location: 'San Francisco' } })
      assert.deepEqual([status, body], [200, { ok: true, result: { temperature: 68, conditions: 'Partly cloudy' } }])
    })

    test('the other spelling runs it too', async () => {
      for (const named of [{ name: 'calculator' }, { tool: 'calculator' }]) {
        const { body } = await invoke({ ...named, args: { expression: '6 * 7' }, params: null }, '/tools/invoke')
        assert.deepEqual(body, { ok: true, result: { value: 42 } })
      }
    })

    test('a tool that needs no params is run without any', async () => {
      assert.partialDeepStrictEqual((await invoke({ tool: 'time_now' })).body, { ok: true })
    })

    test('a tool nobody brings is not found', async () => {
      assert.deepEqual(refusal(await invoke({ tool: 'nothing' })), [404, 'not_found', 'tool'])
    })

    test('what is wrong is told by name, and nothing runs', async () => {
      const wrong: readonly (readonly [unknown, string | undefined])[] = [
        [[], undefined],
        [{}, 'tool'],
        [{ tool: 5 }, 'tool'],
        [{ tool: 'weather', params: 'Oslo' }, 'params'],
        [{ tool: 'weather', params: { place: 'Oslo' } }, 'location'],
        [{ tool: 'weather', name: 'calculator' }, 'name'],
        [{ tool: 'weather', params: {}, args: {} }, 'args'],
        [{ tool: 'weather', dryRun: true }, 'dryRun'],
      ]
      for (const [body, param] of wrong) assert.deepEqual(refusal(await invoke(body)), [400, 'invalid_request', param], JSON.stringify(body))
    })
  })
}
