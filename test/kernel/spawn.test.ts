/** A run that outlives its caller: for whom it is made, and who is told how it ended. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePlugin, RpcError, type Context, type Json, type JsonObject, type RunEnding } from '@isopod/plugin-api'
import { testGateway, type TestGateway } from '@isopod/testing'

const ANY = { type: 'object' } as const

/** Runs `job.work` in the background for itself, and keeps what it is told of the end. */
const jobs = definePlugin(({ hooks }) => {
  hooks.methods.tap('jobs', (methods) => {
    methods.add({ name: 'job.begin', scope: 'read', params: ANY, handle: async (params, ctx) => ({ runId: await ctx.spawn('job.work', params as JsonObject, { for: 'a test' }, { as: 'self', afterwards: 'job.ended' }) }) })
    methods.add({ name: 'job.work', scope: 'write', params: ANY, handle: (params, ctx) => work(params as JsonObject, ctx) })
    methods.add({ name: 'job.ended', scope: 'write', internal: true, params: ANY, handle: (ending, ctx) => ended(ending as unknown as RunEnding, ctx) })
  })
})

function work({ fails }: JsonObject, { caller }: Context): Json {
  if (fails === true) throw new RpcError('unavailable', 'The work is not there', { retryable: true })
  return { id: caller.id, origin: caller.origin }
}

async function ended(ending: RunEnding, ctx: Context): Promise<void> {
  ctx.emit('job.told', { ending: ending as unknown as JsonObject, by: ctx.caller.id })
}

function opened(): Promise<TestGateway> {
  return testGateway({ plugins: [{ id: 'jobs', plugin: jobs }] })
}

test('a follow-up is told what a run answered, which was made for the plugin and not for whoever began it', async (t) => {
  const gateway = await opened()
  t.after(() => gateway.close())
  const client = gateway.client({ scopes: ['read'] })
  await client.call('events.subscribe', { events: ['job.told'] })
  const { runId } = (await client.call('job.begin', {})) as { runId: string }
  const { ending, by } = (await client.heard('job.told')).data as { ending: JsonObject; by: string }
  assert.deepEqual(ending, { runId, about: { for: 'a test' }, ok: true, value: { id: 'plugin:jobs', origin: 'automation' } })
  assert.equal(by, 'plugin:jobs')
})

test('a follow-up is told why a run failed', async (t) => {
  const gateway = await opened()
  t.after(() => gateway.close())
  const client = gateway.client()
  await client.call('events.subscribe', { events: ['job.told'] })
  await client.call('job.begin', { fails: true })
  const { ending } = (await client.heard('job.told')).data as { ending: JsonObject }
  assert.deepEqual(ending['refusal'], { code: 'unavailable', message: 'The work is not there', retryable: true })
})

test('a run the plugin makes for itself is not its caller\'s to abort, but the admin\'s', async (t) => {
  const gateway = await testGateway({
    plugins: [{ id: 'jobs', plugin: definePlugin(({ hooks }) => hooks.methods.tap('m', (methods) => {
      methods.add({ name: 'job.begin', scope: 'read', handle: async (_params, ctx) => ctx.spawn('job.wait', {}, {}, { as: 'self' }) })
      methods.add({ name: 'job.wait', scope: 'write', handle: (_params, ctx) => new Promise((resolve) => ctx.signal.addEventListener('abort', () => resolve(1), { once: true })) })
      methods.add({ name: 'job.stop', scope: 'read', params: { type: 'object', properties: { id: { type: 'string' } } } as const, handle: ({ id }, ctx) => ctx.runs.abort(id ?? '') })
    })) }],
  })
  t.after(() => gateway.close())
  const client = gateway.client({ scopes: ['read', 'write'] })
  const id = (await client.call('job.begin')) as string
  assert.equal((await client.refusal('job.stop', { id })).code, 'not_found')
  assert.equal(await gateway.client({ scopes: ['read', 'admin'] }).call('job.stop', { id }), true)
})

test('a run may be answered with an event of it, or with the refusal it ends in before', async (t) => {
  const begin = Promise.withResolvers<void>()
  const end = Promise.withResolvers<void>()
  const gateway = await testGateway({
    plugins: [{ id: 'jobs', plugin: definePlugin(({ hooks }) => hooks.methods.tap('m', (methods) => {
      methods.add({ name: 'job.begin', scope: 'read', params: ANY, handle: (params, ctx) => ctx.spawn('job.work', params as JsonObject, {}, { once: 'job.told' }) })
      methods.add({ name: 'job.work', scope: 'read', params: ANY, handle: async (params, ctx) => {
        await begin.promise
        if ((params as JsonObject)['fails'] === true) throw new RpcError('unavailable', 'The disk is full')
        if ((params as JsonObject)['silent'] === true) return 1
        ctx.emit('job.going', { runId: ctx.runId ?? '' })
        ctx.emit('job.told', { runId: ctx.runId ?? '' })
        await end.promise
        return 1
      } })
    })) }],
  })
  t.after(() => gateway.close())
  const client = gateway.client()
  let answered = 0
  const running = ['told', 'silent'].map((what) => client.call('job.begin', what === 'silent' ? { silent: true } : {}).then((id) => { answered += 1; return id }))
  const failing = client.refusal('job.begin', { fails: true })
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(answered, 0)
  begin.resolve()
  assert.deepEqual((await Promise.all(running)).map((id) => typeof id), ['string', 'string'])
  assert.equal((await failing).message, 'The disk is full')
  end.resolve()
})
