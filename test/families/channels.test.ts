/** Channels through every family: listed, looked at and switched, with a plugin that brings two. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { JsonObject } from '@isopod/plugin-api'
import { gatewayFor, type StartedGateway } from '../main-job/started.ts'
import { verifies } from '../requirements.ts'
import { ask } from './story.ts'

const PIGEONS = fileURLToPath(new URL('../../fixtures/plugins/pigeons', import.meta.url))
const CONFIG = `gateway: { limits: { requestsPerMinute: 0 } }\nplugins: { pigeons: { from: "${PIGEONS}", trust: full } }\n`

/** Whether the channel is on, as each family tells it. */
async function told(gateway: StartedGateway): Promise<readonly unknown[]> {
  const rowOf = ({ channels }: JsonObject) => (channels as JsonObject[]).find(({ id }) => id === 'discord')?.['enabled']
  const named = (await ask(gateway, 'POST /api/rpc', { method: 'channel.status', params: { channelId: 'discord' } })).body['data'] as JsonObject
  return [
    rowOf((await ask(gateway, 'GET /v1/channels')).body),
    (await ask(gateway, 'GET /v1/channels/discord/status')).body['enabled'],
    rowOf((await ask(gateway, 'GET /api/v1/channels')).body),
    named['enabled'],
  ]
}

it('a channel switched through one family is switched in all, and stays so when the gateway is killed', async (t) => {
  verifies('002:channels', '001:channels')
  const first = await gatewayFor(t, { config: CONFIG })
  const { body } = await ask(first, 'GET /v1/channels')
  assert.deepEqual((body['channels'] as JsonObject[])[0], { id: 'discord', name: 'Discord', enabled: true, status: 'connected', account: 'coo#0001' })
  assert.deepEqual(await told(first), [true, true, true, true])

  const off = await ask(first, 'POST /v1/channels/discord/disable')
  assert.deepEqual([off.status, off.body['id'], off.body['enabled'], off.body['status']], [200, 'discord', false, 'disabled'])
  assert.deepEqual(await told(first), [false, false, false, false])
  await first.kill('SIGKILL')

  const second = await gatewayFor(t, { home: first.home })
  assert.deepEqual(await told(second), [false, false, false, false])
  assert.partialDeepStrictEqual(await ask(second, 'POST /api/rpc', { method: 'channel.enable', params: { channelId: 'discord' } }), { status: 200, body: { ok: true, data: { enabled: true } } })
  assert.deepEqual(await told(second), [true, true, true, true])
})
