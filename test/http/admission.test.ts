/** Who is let in to what, over HTTP: the order of the checks, and every place a credential may ride in. */
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { JsonObject } from '@isopod/plugin-api'
import { testGateway, TestClock, type TestGateway } from '@isopod/testing'
import { verifies } from '../requirements.ts'
import { Probe } from './probe.ts'

const PASSWORD = 'a-password-that-is-long-enough'

async function open(t: TestContext, config: JsonObject = {}, clock = new TestClock()): Promise<TestGateway> {
  const gateway = await testGateway({ plugins: ['system', 'dialect-rpc', new Probe().plugin], clock, config: { gateway: { ...config, auth: { password: PASSWORD, ...(config['auth'] as JsonObject | undefined) } } } })
  t.after(() => gateway.close())
  return gateway
}

/** Status and body of a request that carries exactly these headers. */
async function ask(gateway: TestGateway, path: string, headers: Record<string, string> = {}, method = 'GET') {
  const response = await gateway.fetch(path, { method, headers: { authorization: '', ...headers } })
  return { status: response.status, headers: response.headers, body: (await response.json()) as JsonObject }
}

describe('the order of the checks', () => {
  it('asks for the Host first, then for the Origin, then for the credential, and only then for the row', async (t) => {
    const gateway = await open(t)
    const bad = { host: 'evil.example', origin: 'https://evil.example', authorization: 'Bearer wrong' }
    assert.equal((await ask(gateway, '/nowhere', bad)).status, 421)
    assert.equal((await ask(gateway, '/nowhere', { ...bad, host: 'localhost' })).status, 403)
    assert.equal((await ask(gateway, '/nowhere', { authorization: 'Bearer wrong' })).status, 401)
    assert.equal((await ask(gateway, '/nowhere', { authorization: `Bearer ${gateway.token}` })).status, 404)
  })

  it('refuses a strange Host and Origin on public rows too', async (t) => {
    const gateway = await open(t)
    assert.equal((await ask(gateway, '/health', { host: 'evil.example' })).status, 421)
    assert.equal((await ask(gateway, '/health', { origin: 'https://evil.example' })).status, 403)
  })

  it('lets in pages of the origins that the config names', async (t) => {
    const gateway = await open(t, { origins: ['https://page.example'] })
    assert.equal((await ask(gateway, '/health', { origin: 'https://page.example' })).status, 200)
    assert.equal((await ask(gateway, '/health', { origin: 'https://page.example.evil.example' })).status, 403)
  })

  it('tells a stranger 401 for what exists, for what does not, and for a wrong verb, in the same words', async (t) => {
    verifies('000:auth:all-requests', '000:code:unauthorized', '004:error:401', '000:http:error')
    const gateway = await open(t)
    const body = { ok: false, error: { message: 'Unauthorized', type: 'authentication_error', code: 'unauthorized' } }
    for (const [path, method] of [['/status', 'GET'], ['/nowhere', 'GET'], ['/probe/echo', 'DELETE'], ['/probe/open', 'DELETE'], ['/health', 'POST'], ['/status', 'OPTIONS']] as const) {
      const answer = await ask(gateway, path, {}, method)
      assert.deepEqual([path, answer.status, answer.body], [path, 401, body])
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer')
    }
  })

  it('asks nothing of who calls a public row, and gives its method a caller without scopes', async (t) => {
    verifies('004:health')
    const gateway = await open(t)
    assert.deepEqual((await ask(gateway, '/health')).body, { ok: true, status: 'healthy' })
    assert.equal((await ask(gateway, '/probe/open', { authorization: 'Bearer wrong' })).status, 200)
  })

  it('refuses what the scope of a token does not cover', async (t) => {
    const gateway = await open(t)
    const { token } = (await gateway.client().call('token.create', { name: 'reader', scopes: ['read'] })) as { token: string }
    assert.equal((await ask(gateway, '/probe/echo', { authorization: `Bearer ${token}` })).status, 200)
    const refused = await ask(gateway, '/probe/admin', { authorization: `Bearer ${token}` })
    assert.partialDeepStrictEqual(refused, { status: 403, body: { error: { code: 'forbidden', type: 'permission_error' } } })
  })
})

describe('a credential', () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

  it('rides in every place that is documented', async (t) => {
    verifies('000:auth:bearer', '002:auth:basic', '002:auth:password-header', '002:auth:query-token', '002:auth:query-password', '002:auth:http-query', '003:auth:query')
    const gateway = await open(t)
    const { token } = gateway
    const places: readonly (readonly [path: string, headers: Record<string, string>])[] = [
      ['/status', { authorization: `Bearer ${token}` }],
      ['/status', { authorization: `bearer ${token}` }],
      ['/status', { authorization: basic(`user:${PASSWORD}`) }],
      ['/status', { authorization: basic(`:${token}`) }],
      ['/status', { 'x-openclaw-token': token }],
      ['/status', { 'x-openclaw-password': PASSWORD }],
      [`/status?token=${token}`, {}],
      [`/status?a=1&password=${PASSWORD}`, {}],
    ]
    for (const [path, headers] of places) {
      assert.deepEqual([path, headers, (await ask(gateway, path, headers)).status], [path, headers, 200])
      const socket = await gateway.connect(path.replace('/status', '/'), { authorization: '', ...headers })
      assert.equal((await socket.first(() => true))?.['type'], 'connected')
      socket.close()
    }
  })

  it('that is wrong is refused in each of these places', async (t) => {
    const gateway = await open(t, { limits: { authFailures: 0 } })
    for (const headers of [{ authorization: 'Bearer wrong' }, { authorization: 'Digest x' }, { authorization: basic('user:wrong') }, { 'x-openclaw-token': 'wrong' }, { 'x-openclaw-password': 'wrong' }]) {
      assert.equal((await ask(gateway, '/status', headers)).status, 401)
      await assert.rejects(gateway.connect('/', { authorization: '', ...headers }), /refused with 401/)
    }
    for (const query of ['token=wrong', 'password=wrong', `token=${gateway.token}&token=${gateway.token}`]) {
      assert.equal((await ask(gateway, `/status?${query}`)).status, 401)
      await assert.rejects(gateway.connect(`/?${query}`, { authorization: '' }), /refused with 401/)
    }
  })

  it('in the query is refused with a sentence of its own where the config switches that off', async (t) => {
    const gateway = await open(t, { auth: { query: false } })
    const refused = await ask(gateway, `/status?token=${gateway.token}`)
    assert.equal(refused.status, 401)
    assert.match(JSON.stringify(refused.body), /gateway\.auth\.query: true/)
    await assert.rejects(gateway.connect(`/?token=${gateway.token}`, { authorization: '' }), /gateway\.auth\.query/)
  })

  it('that is right opens nothing from a place where none belongs', async (t) => {
    const gateway = await open(t)
    const { token } = gateway
    const places: readonly (readonly [path: string, headers: Record<string, string>])[] = [
      ['/status', { cookie: `token=${token}` }],
      ['/status', { 'x-api-key': token }],
      ['/status', { authorization: token }],
      ['/status', { authorization: basic(`${token}:`) }],
      [`/status/${token}`, {}],
      [`/status?key=${token}`, {}],
      [`/status?a=1%26token=${token}`, {}],
    ]
    for (const [path, headers] of places) {
      assert.partialDeepStrictEqual([path, headers, await ask(gateway, path, headers)], [path, headers, { status: 401, body: { error: { message: 'Unauthorized' } } }])
    }
    const inBody = await gateway.fetch('/probe/echo', { method: 'POST', headers: { authorization: '', 'content-type': 'application/json' }, body: JSON.stringify({ token }) })
    assert.equal(inBody.status, 401)
    assert.ok(!JSON.stringify(gateway.log.recent({ limit: 1000 })).includes(token))
  })

  it('reaches neither a row, nor its method, nor the log', async (t) => {
    const gateway = await open(t)
    const seen = await ask(gateway, `/probe/seen?a=1&token=${gateway.token}&%70assword=${PASSWORD}&author=jane`, { 'x-openclaw-token': gateway.token, cookie: 'a=b', 'x-mine': 'yes' })
    assert.deepEqual(seen.body['query'], { a: '1', author: 'jane' })
    assert.equal((seen.body['headers'] as JsonObject)['x-mine'], 'yes')
    for (const name of ['authorization', 'cookie', 'x-openclaw-token', 'x-openclaw-password']) assert.ok(!(name in (seen.body['headers'] as JsonObject)))
    assert.deepEqual((await ask(gateway, `/probe/echo?a=1&token=${gateway.token}`)).body, { a: '1' })
    await gateway.fetch(`/probe/fail?token=${gateway.token}`, { method: 'POST' })
    const log = JSON.stringify(gateway.log.recent({ limit: 1000 }))
    assert.match(log, /probe/)
    assert.ok(!log.includes(gateway.token) && !log.includes(PASSWORD))
  })
})

describe('too much', () => {
  it('of wrong credentials locks a client out, but not its tokens that work', async (t) => {
    verifies('000:auth-limit:count', '000:auth-limit:answer', '004:error:429')
    const clock = new TestClock()
    const gateway = await open(t, {}, clock)
    for (let attempt = 1; attempt <= 20; attempt++) assert.equal((await ask(gateway, '/status', { authorization: 'Bearer wrong' })).status, 401)
    const locked = await ask(gateway, '/status', { authorization: 'Bearer wrong' })
    const message = 'Too many failed authentication attempts. Please try again later.'
    assert.equal(locked.status, 429)
    assert.deepEqual(locked.body, { ok: false, error: { message, type: 'rate_limited', code: 'rate_limited' } })
    assert.equal(locked.headers.get('retry-after'), '60')
    await assert.rejects(gateway.connect('/', { authorization: 'Bearer wrong' }), /refused with 429.*Too many failed/)
    assert.equal((await ask(gateway, '/status', { authorization: `Bearer ${gateway.token}` })).status, 200)
    assert.equal((await ask(gateway, '/status', { 'x-openclaw-password': PASSWORD })).status, 429)
    assert.equal((await ask(gateway, '/status')).status, 401, 'no credential at all is no attempt')
    await clock.advance(60_000)
    assert.equal((await ask(gateway, '/status', { 'x-openclaw-password': PASSWORD })).status, 200)
  })

  it('of one credential\'s requests is refused until the minute has gone by, and is not another\'s', async (t) => {
    verifies('002:limit:rate', '000:code:rate-limited')
    const clock = new TestClock()
    const gateway = await open(t, { limits: { requestsPerMinute: 100 } }, clock)
    const mine = { authorization: `Bearer ${gateway.token}` }
    for (let request = 1; request <= 100; request++) assert.equal((await ask(gateway, '/probe/echo', mine)).status, 200)
    const refused = await ask(gateway, '/nowhere', mine)
    assert.equal(refused.status, 429)
    assert.partialDeepStrictEqual(refused.body, { ok: false, error: { type: 'rate_limited', code: 'rate_limited' } })
    // The window slides: the first of a hundred has faded far enough a little after the minute.
    assert.equal(refused.headers.get('retry-after'), '61')
    await assert.rejects(gateway.connect(), /refused with 429/)
    assert.equal((await ask(gateway, '/probe/echo', { 'x-openclaw-password': PASSWORD })).status, 200)
    await clock.advance(120_000)
    assert.equal((await ask(gateway, '/probe/echo', mine)).status, 200)
  })

  it('of public requests by strangers starves nobody: they are held to no credential\'s rate', async (t) => {
    const gateway = await open(t, { limits: { requestsPerMinute: 5, callsPerMinute: 5 } })
    for (let request = 1; request <= 20; request++) assert.equal((await ask(gateway, '/health')).status, 200)
    assert.equal((await ask(gateway, '/status', { authorization: `Bearer ${gateway.token}` })).status, 200)
  })

  it('of HTTP requests is not also too much of calls: each counts once', async (t) => {
    const gateway = await open(t, { limits: { requestsPerMinute: 0, callsPerMinute: 3 } })
    for (let request = 1; request <= 10; request++) assert.equal((await ask(gateway, '/probe/echo', { authorization: `Bearer ${gateway.token}` })).status, 200)
  })
})
