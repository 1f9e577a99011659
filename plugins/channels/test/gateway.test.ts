/** Channels through a gateway, in its process and behind the wall, with a plugin that brings two of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePlugin, type JsonObject } from '@isopod/plugin-api'
import { testGateway, type TestGateway, type TestPlugin } from '@isopod/testing'
import { verifies } from '../../../test/requirements.ts'

verifies('002:channel.list', '002:channel.status')

const PIGEONS = new URL('../../../fixtures/plugins/pigeons/', import.meta.url)
const CHANNELS = new URL('..', import.meta.url)
const DISCORD = { id: 'discord', name: 'Discord', enabled: true, status: 'connected', account: 'coo#0001' }
const SIGNAL = { id: 'signal', name: 'Signal', enabled: true, status: 'not_configured' }

for (const wall of [false, true]) {
  const where = wall ? ' behind the wall' : ''
  const opened = (...more: TestPlugin[]): Promise<TestGateway> => testGateway({ plugins: [CHANNELS, PIGEONS, ...more], wall })

  test(`a channel that a plugin brings is listed as it says it is${where}`, async (t) => {
    const gateway = await opened()
    t.after(() => gateway.close())
    const client = gateway.client()
    assert.deepEqual(await client.call('channel.list'), { channels: [DISCORD, SIGNAL] })
    assert.deepEqual(await client.call('channel.status', { channelId: 'signal' }), SIGNAL)
    const refusal = await client.refusal('channel.status', { channelId: 'fax' })
    assert.deepEqual([refusal.code, refusal.param], ['not_found', 'channelId'])
  })

  test(`what is sent arrives as it was written, and is told${where}`, async (t) => {
    const gateway = await opened()
    t.after(() => gateway.close())
    const client = gateway.client()
    await client.call('events.subscribe', { events: ['message.sent'] })
    const message = { to: '#general', text: 'Grüße\n', thread: 't1' }
    assert.deepEqual(await client.call('channel.send', { channelId: 'discord', ...message }), { channelId: 'discord', ids: ['pigeon-1'] })
    assert.deepEqual(await client.call('pigeon.delivered'), { messages: [message] })
    assert.deepEqual((await client.heard('message.sent')).data, { channelId: 'discord', to: '#general', ids: ['pigeon-1'] })
  })

  test(`a channel's refusal reaches whoever sends${where}`, async (t) => {
    const gateway = await opened()
    t.after(() => gateway.close())
    const client = gateway.client()
    const closed = await client.refusal('channel.send', { channelId: 'discord', to: '#closed', text: 'x' })
    assert.deepEqual([closed.code, closed.message, closed.retryable], ['unavailable', 'The loft is closed', true])
    assert.equal((await client.refusal('channel.send', { channelId: 'fax', to: '1', text: 'x' })).code, 'not_found')
    assert.equal((await client.refusal('channel.send', { channelId: 'discord', to: '', text: 'x' })).param, 'to')
  })

  test(`a channel that fails to say how it is holds up no other${where}`, async (t) => {
    const broken: TestPlugin = {
      id: 'broken',
      plugin: definePlugin(({ hooks }) => hooks.channels.tap('c', (channels) => channels.add({ name: 'fax', title: 'Fax', send: () => ({ ids: [] }), status: () => { throw new TypeError('no line') } }))),
    }
    // A plugin handed over as an object stays in this process.
    const gateway = await testGateway({ plugins: [CHANNELS, PIGEONS, broken] })
    t.after(() => gateway.close())
    const { channels } = (await gateway.client().call('channel.list')) as { channels: JsonObject[] }
    assert.deepEqual(channels.map(({ id, status }) => [id, status]), [['discord', 'connected'], ['fax', 'error'], ['signal', 'not_configured']])
  })
}

test('whoever watches messages may change one or keep it in', async (t) => {
  const guard: TestPlugin = {
    id: 'guard',
    plugin: definePlugin(({ hooks }) => hooks.messageSending.tap('guard', ({ text, to }) => (to === '#press' ? { refuse: 'not to the press' } : { change: { text: text.replace('secret', '***') } }))),
  }
  const gateway = await testGateway({ plugins: [CHANNELS, PIGEONS, guard] })
  t.after(() => gateway.close())
  const client = gateway.client()
  await client.call('channel.send', { channelId: 'discord', to: '#general', text: 'a secret' })
  assert.deepEqual(await client.call('pigeon.delivered'), { messages: [{ to: '#general', text: 'a ***' }] })
  const refusal = await client.refusal('channel.send', { channelId: 'discord', to: '#press', text: 'x' })
  assert.deepEqual([refusal.code, refusal.message], ['forbidden', 'guard/guard refused the message: not to the press'])
})

test('a channel is switched with its plugin, is still listed when it is off, and comes back', async (t) => {
  const gateway = await testGateway({ plugins: [CHANNELS, PIGEONS] })
  t.after(() => gateway.close())
  const client = gateway.client()
  await client.call('events.subscribe', { events: ['channel.changed'] })
  const off = { id: 'discord', name: 'Discord', enabled: false, status: 'disabled' }
  assert.deepEqual(await client.call('channel.disable', { channelId: 'discord' }), off)
  assert.deepEqual((await client.heard('channel.changed')).data, off)
  assert.deepEqual(await client.call('channel.list'), { channels: [off, { ...SIGNAL, enabled: false, status: 'disabled' }] })
  assert.equal((await client.refusal('channel.send', { channelId: 'discord', to: '#x', text: 'x' })).code, 'not_found')
  assert.deepEqual(await client.call('channel.enable', { channelId: 'discord' }), DISCORD)
  assert.deepEqual(await client.call('channel.list'), { channels: [DISCORD, SIGNAL] })
})

test('switching a channel is the admin\'s', async (t) => {
  const gateway = await testGateway({ plugins: [CHANNELS, PIGEONS] })
  t.after(() => gateway.close())
  assert.equal((await gateway.client({ scopes: ['read', 'write'] }).refusal('channel.disable', { channelId: 'discord' })).code, 'forbidden')
})
