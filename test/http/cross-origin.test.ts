/** What a browser is told of pages from elsewhere: nothing, unless the owner named them. */
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { describe, it, type TestContext } from 'node:test'
import type { JsonObject } from '@isopod/plugin-api'
import { testGateway, type TestGateway } from '@isopod/testing'
import { uwsTransport } from '../../kernel/transport/uws.ts'
import { wsTransport } from '../../kernel/transport/ws.ts'
import { listening, TOKEN } from './listening.ts'
import { Probe } from './probe.ts'

const PAGE = 'https://page.example'
const ASKING = { origin: PAGE, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type', authorization: '' }

async function open(t: TestContext, gateway: JsonObject = {}): Promise<TestGateway> {
  const opened = await testGateway({ plugins: ['system', new Probe().plugin], config: { gateway } })
  t.after(() => opened.close())
  return opened
}

const named = (t: TestContext) => open(t, { cors: { origins: [PAGE] } })

function corsHeaders({ headers }: { readonly headers: Headers }): string[] {
  return [...headers.keys()].filter((name) => name.startsWith('access-control-'))
}

describe('where the owner named no page', () => {
  it('a page from elsewhere is turned away, its preflight too, and told nothing a browser could take for a yes', async (t) => {
    const gateway = await open(t)
    for (const method of ['OPTIONS', 'GET']) {
      const reply = await gateway.fetch('/probe/echo', { method, headers: ASKING })
      assert.deepEqual([reply.status, corsHeaders(reply)], [403, []])
    }
  })

  it('a preflight from a page that may call is answered without a word of permission, and asks for no credential', async (t) => {
    const gateway = await open(t, { origins: [PAGE] })
    const reply = await gateway.fetch('/probe/echo', { method: 'OPTIONS', headers: ASKING })
    assert.deepEqual([reply.status, corsHeaders(reply), await reply.text()], [204, [], ''])
  })

  it('OPTIONS that is no preflight is a verb like any other', async (t) => {
    const gateway = await open(t)
    assert.equal((await gateway.fetch('/probe/echo', { method: 'OPTIONS', headers: { authorization: '' } })).status, 401)
    const reply = await gateway.fetch('/probe/echo', { method: 'OPTIONS' })
    assert.deepEqual([reply.status, reply.headers.get('allow')], [405, 'GET, POST, HEAD'])
  })
})

describe('a page the owner named', () => {
  it('is told by its preflight which verbs and headers it may send, and never to bring the browser\'s credentials', async (t) => {
    const gateway = await named(t)
    const { status, headers } = await gateway.fetch('/probe/echo', { method: 'OPTIONS', headers: ASKING })
    assert.equal(status, 204)
    assert.equal(headers.get('access-control-allow-origin'), PAGE)
    assert.equal(headers.get('access-control-allow-methods'), 'GET, POST')
    assert.equal(headers.get('access-control-allow-headers'), 'authorization,content-type')
    assert.match(headers.get('vary') ?? '', /^Origin/)
    assert.equal(headers.get('access-control-allow-credentials'), null)
    assert.equal(headers.get('access-control-allow-private-network'), null)
  })

  it('may reach into its reader\'s own network', async (t) => {
    const { headers } = await (await named(t)).fetch('/probe/echo', { method: 'OPTIONS', headers: { ...ASKING, 'access-control-request-private-network': 'true' } })
    assert.equal(headers.get('access-control-allow-private-network'), 'true')
  })

  it('is not given back headers that are no names', async (t) => {
    const { headers } = await (await named(t)).fetch('/probe/echo', { method: 'OPTIONS', headers: { ...ASKING, 'access-control-request-headers': 'a b; c' } })
    assert.equal(headers.get('access-control-allow-headers'), null)
  })

  it('reads every answer, refusals and unknown URLs among them', async (t) => {
    const gateway = await named(t)
    const origin = { origin: PAGE }
    for (const [path, expected] of [['/status', 200], ['/nowhere', 404], ['/probe/echo', 405]] as const) {
      const { status, headers } = await gateway.fetch(path, { method: expected === 405 ? 'DELETE' : 'GET', headers: origin })
      assert.deepEqual([status, headers.get('access-control-allow-origin'), headers.get('vary')], [expected, PAGE, 'Origin'])
    }
    const stranger = await gateway.fetch('/status', { headers: { ...origin, authorization: '' } })
    assert.deepEqual([stranger.status, stranger.headers.get('access-control-allow-origin')], [401, PAGE])
    assert.match(stranger.headers.get('access-control-expose-headers') ?? '', /ETag.*X-Should-Retry/)
  })

  it('is known by its exact origin only', async (t) => {
    const gateway = await named(t)
    for (const origin of ['https://page.example:8443', 'http://page.example', 'https://evil.page.example', 'https://page.example.evil', 'null']) {
      const reply = await gateway.fetch('/status', { headers: { origin } })
      assert.deepEqual([reply.status, corsHeaders(reply)], [403, []], origin)
    }
    const { headers } = await gateway.fetch('/status')
    assert.deepEqual([headers.get('access-control-allow-origin'), headers.get('vary')], [null, 'Origin'])
  })

  it('may be any, says the config, is refused by its schema', async (t) => {
    await assert.rejects(open(t, { cors: { origins: ['*'] } }), /origins/)
  })

  for (const [name, transport] of Object.entries({ uws: uwsTransport, ws: wsTransport })) {
    it(`is answered on a real connection by ${name}, a preflight without any body`, async (t) => {
      const { port } = await listening(t, { transport, plugins: ['system'], config: { gateway: { cors: { origins: [PAGE] } } } })
      const ask = (method: string, headers: Record<string, string>) => new Promise<{ status: number | undefined; headers: Record<string, unknown>; body: string }>((resolve, reject) => {
        request({ port, host: '127.0.0.1', path: '/status', method, headers: { origin: PAGE, ...headers } }, (reply) => {
          let body = ''
          reply.on('data', (chunk) => (body += String(chunk))).on('end', () => resolve({ status: reply.statusCode, headers: reply.headers, body }))
        }).on('error', reject).end()
      })
      const preflight = await ask('OPTIONS', { 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' })
      assert.deepEqual([preflight.status, preflight.body, preflight.headers['access-control-allow-methods']], [204, '', 'GET'])
      const read = await ask('GET', { authorization: `Bearer ${TOKEN}` })
      assert.deepEqual([read.status, read.headers['access-control-allow-origin']], [200, PAGE])
    })
  }
})
