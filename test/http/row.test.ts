/** What a row can ask of the gateway beside its own rename: a body as it came, a credential of its own, a place from the config. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { definePlugin, RpcError, type Context, type JsonObject, type Plugin } from '@isopod/plugin-api'
import { TestClock, testGateway, type TestGateway, type TestPlugin } from '@isopod/testing'

const KEY = 'shared with the sender'

const TEXT = { type: 'string' } as const
const TAKEN = { type: 'object', required: ['name', 'text', 'shown'], properties: { name: TEXT, text: TEXT, shown: TEXT } } as const

/** A webhook in small: the row takes the bytes, an internal method checks them and acts for the plugin. */
const inbox = definePlugin(({ hooks }) => {
  hooks.routes.tap('inbox', (routes) => {
    routes.add({
      verb: 'POST',
      path: '/inbox/{name}',
      call: 'inbox.take',
      auth: 'own',
      body: 'text',
      mount: 'at',
      maxBody: 'most',
      decode: ({ segments, headers, body }) => ({
        params: { name: segments['name'] ?? '', text: typeof body === 'string' ? body : '', shown: headers['authorization'] ?? headers['x-signature'] ?? '' },
      }),
    })
  })
  hooks.methods.tap('inbox', (methods) => {
    methods.add({ name: 'inbox.take', scope: 'public', internal: true, params: TAKEN, handle: (params, ctx) => taken(params, ctx) })
    methods.add({ name: 'inbox.keep', scope: 'write', handle: (_params, { caller }) => ({ id: caller.id, origin: caller.origin, scopes: [...caller.scopes] }) })
  })
})

async function taken({ name, text, shown }: { name: string; text: string; shown: string }, ctx: Context): Promise<JsonObject> {
  if (shown !== createHmac('sha256', KEY).update(text).digest('hex')) throw new RpcError('unauthorized', 'Unauthorized')
  const { id, scopes, origin } = ctx.caller
  return { name, length: text.length, from: { id, scopes: [...scopes], origin }, as: await ctx.call('inbox.keep', {}, { as: 'self' }) }
}

async function opened(t: TestContext, { plugin = inbox, config = {}, clock }: { plugin?: Plugin; config?: JsonObject; clock?: TestClock } = {}): Promise<TestGateway> {
  const plugins: TestPlugin[] = [{ id: 'inbox', plugin }]
  const gateway = await testGateway({ plugins, config: { plugins: { inbox: { config } } }, ...(clock && { clock }) })
  t.after(() => gateway.close())
  return gateway
}

function signed(body: string, more: Record<string, string> = {}): RequestInit {
  return { method: 'POST', body, headers: { authorization: '', 'x-signature': createHmac('sha256', KEY).update(body).digest('hex'), ...more } }
}

test('a row that asks for text is given the very bytes, of any type', async (t) => {
  const gateway = await opened(t)
  const body = '\uFEFFpayload=%7B%22a%22%3A1%7D\r\n'
  const reply = await gateway.fetch('/inbox/github', signed(body, { 'content-type': 'application/x-www-form-urlencoded' }))
  assert.equal(reply.status, 200)
  assert.equal(((await reply.json()) as { length: number }).length, body.length)
})

test('behind a credential of its own a plugin acts as itself, and its visitor as nobody', async (t) => {
  const gateway = await opened(t)
  const { from, as } = (await (await gateway.fetch('/inbox/x', signed('hello'))).json()) as { from: JsonObject; as: JsonObject }
  assert.deepEqual(from, { id: 'public', scopes: [], origin: 'stranger' })
  assert.deepEqual(as, { id: 'plugin:inbox', scopes: ['read', 'write'], origin: 'automation' })
})

test('an internal method is reached by its own plugin\'s row and by no caller', async (t) => {
  const gateway = await opened(t)
  assert.equal((await gateway.client().refusal('inbox.take', {})).code, 'method_not_found')
})

test('a row onto another plugin\'s internal method fails its plugin', async () => {
  const thief = definePlugin(({ hooks }) => hooks.routes.tap('r', (routes) => routes.add({ verb: 'POST', path: '/steal', call: 'inbox.take' })))
  await assert.rejects(testGateway({ plugins: [{ id: 'inbox', plugin: inbox }, { id: 'thief', plugin: thief }] }), /thief.*inbox\.take, which only plugins may call/)
})

test('wrong credentials of a row\'s own are counted, a right one still passes, and one that shows none is not counted', async (t) => {
  const clock = new TestClock()
  const gateway = await opened(t, { clock, config: {} })
  const guess = (authorization: string) => gateway.fetch('/inbox/x', { method: 'POST', body: 'x', headers: { authorization } })
  for (let count = 0; count < 30; count++) assert.equal((await guess('')).status, 401)
  for (let count = 0; count < 20; count++) assert.equal((await guess('Bearer wrong')).status, 401)
  const locked = await guess('Bearer wrong')
  assert.equal(locked.status, 429)
  assert.ok(Number(locked.headers.get('retry-after')) > 0)
  assert.equal((await gateway.fetch('/inbox/x', signed('hello'))).status, 200)
})

test('a row lives where the plugin\'s config wants it', async (t) => {
  const gateway = await opened(t, { config: { at: '/elsewhere/in/' } })
  assert.equal((await gateway.fetch('/elsewhere/in/x', signed('hello'))).status, 200)
  assert.equal((await gateway.fetch('/inbox/x', { method: 'POST', body: '{}' })).status, 404)
})

test('a row reads no more than its plugin\'s config allows, and no more than the gateway does', async (t) => {
  const gateway = await opened(t, { config: { most: 10 } })
  assert.equal((await gateway.fetch('/inbox/x', signed('x'.repeat(10)))).status, 200)
  const refused = await gateway.fetch('/inbox/x', { method: 'POST', body: 'x'.repeat(11), headers: { authorization: '' } })
  assert.deepEqual([refused.status, /10 bytes/.test(((await refused.json()) as { error: { message: string } }).error.message)], [413, true])
  const wide = await opened(t, { config: { most: 100_000_000 } })
  assert.equal((await wide.fetch('/inbox/x', signed('x'.repeat(11_000_000)))).status, 413)
})

test('a row may carry calls by name, each with the caller\'s own scopes', async (t) => {
  const named = definePlugin(({ hooks }) => {
    hooks.routes.tap('r', (routes) => routes.add({ verb: 'POST', path: '/call', call: '*', decode: ({ body }) => ({ method: (body as { method: string }).method, params: {} }) }))
    hooks.methods.tap('m', (methods) => methods.add({ name: 'a.say', scope: 'admin', handle: () => ({ said: true }) }))
  })
  const gateway = await opened(t, { plugin: named })
  const post = (method: string) => gateway.fetch('/call', { method: 'POST', body: JSON.stringify({ method }), headers: { 'content-type': 'application/json' } })
  assert.deepEqual(await (await post('a.say')).json(), { said: true })
  assert.equal((await post('a.none')).status, 404)
})

test('a row that may call any method is not for a plugin behind the wall', async (t) => {
  const folder = new URL('../../fixtures/plugins/any-method/', import.meta.url)
  await assert.rejects(testGateway({ plugins: [folder], wall: true }), /serves POST \/any with \*, which a plugin behind the wall may not/)
  t.diagnostic('the same plugin, trusted, is let in')
  const gateway = await testGateway({ plugins: [folder] })
  await gateway.close()
})
