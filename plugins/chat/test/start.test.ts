/** What `chat.start` answers with: a run whose question has been kept. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePlugin } from '@isopod/plugin-api'
import { testGateway, type TestPlugin } from '@isopod/testing'

const PLUGINS = ['chat', 'models', 'sessions', 'tools']

test('a run is answered once its question is kept', async (t) => {
  const gateway = await testGateway({ plugins: PLUGINS })
  t.after(() => gateway.close())
  const client = gateway.client()
  await client.call('chat.start', { message: '/slow 60000\nword by word', sessionKey: 's' })
  const { messages } = (await client.call('session.get', { sessionKey: 's' })) as { messages: { role: string }[] }
  assert.deepEqual(messages.map(({ role }) => role), ['user'])
  // The run is still open: nobody has aborted it and its model is slow.
  await gateway.running.close(0)
})

test('a run whose question could not be kept is refused, and not started', async (t) => {
  const full: TestPlugin = {
    id: 'full',
    plugin: definePlugin(({ hooks }) => hooks.callStarting.tap('full', ({ method }) => (method === 'session.begin' ? { refuse: 'The disk is full' } : undefined))),
  }
  const gateway = await testGateway({ plugins: [...PLUGINS, full] })
  t.after(() => gateway.close())
  const client = gateway.client()
  const refusal = await client.refusal('chat.start', { message: 'Hi', sessionKey: 's' })
  assert.equal(refusal.message, 'The disk is full')
  assert.equal((await client.refusal('session.get', { sessionKey: 's' })).code, 'not_found')
})
