/** What webhooks keep: the last runs, and wake-ups until somebody takes them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePlugin, type JsonObject } from '@isopod/plugin-api'
import { testGateway, type TestPlugin } from '@isopod/testing'
import { closed, opened } from '../ledger.ts'

const PLUGINS = ['webhooks', 'channels', 'chat', 'models', 'sessions', 'tools']

test('the last two hundred runs are kept, each with its end, whichever was written first', async (t) => {
  const gateway = await testGateway({ plugins: PLUGINS })
  t.after(() => gateway.close())
  const store = gateway.store.namespace('webhooks')
  for (let at = 1; at <= 260; at += 1) {
    const run = { runId: `r${at}`, sessionKey: 's', hook: 'x', startedAt: at }
    const steps = [() => opened(run, store), () => closed(run, { endedAt: at + 1 }, store)]
    for (const step of at % 2 === 0 ? steps : steps.toReversed()) await step()
  }
  const { runs } = (await gateway.client().call('hook.runs', { limit: 200 })) as { runs: JsonObject[] }
  assert.equal(runs.length, 200)
  assert.deepEqual([runs[0], runs[199]?.['runId']], [{ runId: 'r260', sessionKey: 's', hook: 'x', startedAt: 260, endedAt: 261 }, 'r61'])
  assert.equal((await store.list('runs', { limit: 1000 })).length, 200)
  assert.equal((await store.list('ended', { limit: 1000 })).length, 200)
})

test('a wake-up for the next heartbeat is taken once', async (t) => {
  const beat: TestPlugin = {
    id: 'beat',
    plugin: definePlugin(({ hooks }) => hooks.methods.tap('m', (methods) => methods.add({ name: 'beat.take', scope: 'write', handle: (_params, ctx) => ctx.call('hook.waiting') }))),
  }
  const gateway = await testGateway({ plugins: [...PLUGINS, beat] })
  t.after(() => gateway.close())
  const client = gateway.client()
  for (const text of ['one', 'two']) assert.deepEqual(await client.call('hook.wake', { text, mode: 'next-heartbeat' }), { ok: true, mode: 'next-heartbeat' })
  const { wakes } = (await client.call('beat.take')) as { wakes: { text: string }[] }
  assert.deepEqual(wakes.map(({ text }) => text).sort(), ['one', 'two'])
  assert.deepEqual(await client.call('beat.take'), { wakes: [] })
})
