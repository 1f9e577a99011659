/** A client that does not wait for ever for a run, and what the path of a URL says against its body. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { definePlugin, type JsonObject } from '@isopod/plugin-api'
import { TestClock, testGateway, type TestGateway } from '@isopod/testing'

/** Runs that end when they are told to, and a call that becomes none. */
function slow() {
  const opening = Promise.withResolvers<void>()
  const going = Promise.withResolvers<void>()
  const opened = Promise.withResolvers<string>()
  const plugin = definePlugin(({ hooks }) => {
    hooks.methods.tap('slow', (methods) => {
      methods.add({
        name: 'slow.run',
        scope: 'write',
        deadlineMs: 0,
        async handle(_params, ctx) {
          await opening.promise
          opened.resolve(await ctx.runs.open({ place: 'here' }))
          await going.promise
          return { aborted: ctx.signal.aborted }
        },
      })
      methods.add({ name: 'slow.call', scope: 'write', handle: () => going.promise.then(() => ({ done: true })) })
      methods.add({ name: 'slow.state', scope: 'read', params: { type: 'object', required: ['runId'], properties: { runId: { type: 'string' } } }, handle: async ({ runId }, ctx) => ({ open: (await ctx.runs.state(runId))?.open ?? null }) })
      methods.add({ name: 'slow.echo', scope: 'read', handle: (params) => params as JsonObject })
    })
    hooks.routes.tap('slow', (routes) => {
      for (const what of ['run', 'call']) routes.add({ verb: 'POST', path: `/slow/${what}`, call: `slow.${what}`, decode: () => ({ params: {}, patienceMs: 1_000 }) })
      routes.add({ verb: 'POST', path: '/slow/long', call: 'slow.run' })
      routes.add({ verb: 'POST', path: '/echo/{id}', call: 'slow.echo' })
    })
  })
  return { plugin, opening, going, opened }
}

async function open(t: TestContext, parts: ReturnType<typeof slow>, clock: TestClock): Promise<TestGateway> {
  const gateway = await testGateway({ plugins: ['dialect-rpc', { id: 'slow', plugin: parts.plugin }], clock, renewEvery: 0 })
  t.after(() => gateway.close())
  return gateway
}

test('a client that waited long enough is told which run goes on, and it does', async (t) => {
  const clock = new TestClock()
  const parts = slow()
  const gateway = await open(t, parts, clock)
  parts.opening.resolve()
  const asked = gateway.fetch('/slow/run', { method: 'POST' })
  const runId = await parts.opened.promise
  await clock.advance(1_000)
  const reply = await asked
  assert.equal(reply.status, 504)
  assert.partialDeepStrictEqual(await reply.json(), { error: { code: 'timeout', details: { runId, place: 'here' } } })
  assert.deepEqual(await gateway.client({ scopes: ['read', 'admin'] }).call('slow.state', { runId }), { open: true })
  parts.going.resolve()
  await reply.text().catch(() => {})
  assert.equal(gateway.kernel.core.events.runs.open, 0)
})

test('a client whose patience ends before there is a run is told of it when there is one', async (t) => {
  const clock = new TestClock()
  const parts = slow()
  const gateway = await open(t, parts, clock)
  const asked = gateway.fetch('/slow/run', { method: 'POST' })
  await new Promise((resolve) => setImmediate(resolve))
  await clock.advance(1_000)
  parts.opening.resolve()
  const runId = await parts.opened.promise
  assert.partialDeepStrictEqual(await (await asked).json(), { error: { code: 'timeout', details: { runId } } })
  parts.going.resolve()
})

test('a run outlasts the clients that wait as long as a request may take, on HTTP and on a socket', async (t) => {
  const clock = new TestClock()
  const parts = slow()
  const gateway = await open(t, parts, clock)
  const socket = await gateway.connect()
  parts.opening.resolve()
  const asked = gateway.fetch('/slow/long', { method: 'POST' })
  const runId = await parts.opened.promise
  socket.send({ id: 1, method: 'slow.run' })
  await new Promise((resolve) => setImmediate(resolve))
  await clock.advance(300_000)
  const reply = await asked
  assert.equal(reply.status, 504)
  assert.partialDeepStrictEqual(await reply.json(), { error: { code: 'timeout', details: { runId, place: 'here' } } })
  const refused = await socket.first(({ id }) => id === 1)
  assert.partialDeepStrictEqual(refused, { ok: false, error: { code: 'TIMEOUT', details: { place: 'here' } } })
  assert.equal(gateway.kernel.core.events.runs.open, 2)
  parts.going.resolve()
  await gateway.client({ scopes: ['read', 'admin'] }).call('slow.state', { runId })
  assert.equal(gateway.kernel.core.events.runs.open, 0)
})

test('a run that ends in time is answered as ever', async (t) => {
  const parts = slow()
  const gateway = await open(t, parts, new TestClock())
  parts.opening.resolve()
  parts.going.resolve()
  assert.deepEqual(await (await gateway.fetch('/slow/run', { method: 'POST' })).json(), { aborted: false })
})

test('a call that is no run is not cut short', async (t) => {
  const clock = new TestClock()
  const parts = slow()
  const gateway = await open(t, parts, clock)
  const asked = gateway.fetch('/slow/call', { method: 'POST' })
  await new Promise((resolve) => setImmediate(resolve))
  await clock.advance(5_000)
  parts.going.resolve()
  assert.equal((await asked).status, 200)
})

test('what the path names wins over the body and the query', async (t) => {
  const gateway = await open(t, slow(), new TestClock())
  const send = (path: string, body: JsonObject) => gateway.fetch(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
  assert.deepEqual(await (await send('/echo/path?id=query&a=query&b=query', { id: 'body', a: 'body' })).json(), { id: 'path', a: 'body', b: 'query' })
})

test('a path with a segment that is only partly filled is refused when it is registered', async () => {
  const partly = definePlugin(({ hooks }) => {
    hooks.methods.tap('m', (methods) => methods.add({ name: 'x.get', scope: 'read', handle: () => ({}) }))
    hooks.routes.tap('r', (routes) => routes.add({ verb: 'GET', path: '/x/{id}.json', call: 'x.get' }))
  })
  await assert.rejects(testGateway({ plugins: [{ id: 'x', plugin: partly }] }), /\/x\/\{id\}\.json/)
})
