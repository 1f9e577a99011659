import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { verifies } from '../requirements.ts'
import { gatewayFor, startGateway } from './started.ts'

describe('the first start', () => {
  it('makes a token, shows it once, and keeps only its hash, where nobody else can read', async (test) => {
    const first = await gatewayFor(test, { ownToken: true })
    assert.match(first.token, /^isopod_[\w-]{43}$/)
    assert.equal((await first.fetch('/v1/models')).status, 200)
    const kept = join(first.home, 'secrets', 'tokens.json')
    assert.doesNotMatch(await readFile(kept, 'utf8'), new RegExp(first.token))
    assert.equal((await stat(kept)).mode & 0o777, 0o600)
    await first.kill('SIGTERM')

    const second = await gatewayFor(test, { ownToken: true, home: first.home })
    assert.doesNotMatch(second.printed, /ISOPOD_TOKEN=/)
    const response = await second.fetch('/v1/models', { headers: { authorization: `Bearer ${first.token}` } })
    assert.equal(response.status, 200)
    await second.kill('SIGTERM')
  })

  it('shows the token at the first start that succeeds, however many failed before', async (test) => {
    const holder = createServer().listen(0, '127.0.0.1')
    await once(holder, 'listening')
    test.after(() => holder.close())
    const home = await mkdtemp(join(tmpdir(), 'isopod-home-'))
    const taken = String((holder.address() as AddressInfo).port)
    await assert.rejects(startGateway({ home, ownToken: true, port: taken }), new RegExp(`127\\.0\\.0\\.1:${taken}`))
    const gateway = await gatewayFor(test, { home, ownToken: true })
    assert.match(gateway.token, /^isopod_/)
    assert.equal((await gateway.fetch('/v1/models')).status, 200)
  })

  it('takes a token of the environment that it made itself for what it is, and any other for the owner\'s', async (test) => {
    const first = await gatewayFor(test, { ownToken: true })
    await first.kill('SIGTERM')
    const same = await gatewayFor(test, { home: first.home, ownToken: true, env: { ISOPOD_TOKEN: first.token } })
    assert.doesNotMatch(same.printed, /token in ISOPOD_TOKEN/)
    assert.equal((await same.fetch('/v1/models', { headers: { authorization: `Bearer ${first.token}` } })).status, 200)
    await same.kill('SIGTERM')
    const other = await gatewayFor(test, { home: first.home })
    assert.match(other.printed, /Clients show the token in ISOPOD_TOKEN/)
    assert.equal((await other.fetch('/v1/models', { headers: { authorization: `Bearer ${first.token}` } })).status, 401)
  })

  it('ends with one sentence where the database is damaged, and changes nothing', async (test) => {
    const first = await gatewayFor(test)
    await first.kill('SIGTERM')
    const database = join(first.home, 'isopod.db')
    await writeFile(database, 'this is no database, and never was one\n'.repeat(200))
    const before = await readFile(database)
    await assert.rejects(startGateway({ home: first.home }), (error: Error) => {
      assert.match(error.message, /damaged|no database/)
      assert.doesNotMatch(error.message, /\n\s+at /)
      return true
    })
    assert.deepEqual(await readFile(database), before)
  })

  it('listens on loopback and says where, and what to say first', async (test) => {
    verifies('001:bind')
    const gateway = await gatewayFor(test, { ownToken: true })
    assert.match(gateway.printed, /listens on http:\/\/127\.0\.0\.1:\d+/)
    assert.match(gateway.printed, /curl http:\/\/127\.0\.0\.1:\d+\/v1\/chat\/completions/)
  })

  it('answers the health check without a credential, and nothing else', async (test) => {
    verifies('004:health', '000:auth:all-requests', '003:auth:localhost', '004:error:401')
    const gateway = await gatewayFor(test)
    const health = await fetch(new URL('/health', gateway.url))
    assert.deepEqual([health.status, await health.json()], [200, { ok: true, status: 'healthy' }])
    for (const path of ['/v1/models', '/status', '/there/is/no/such/path']) {
      const refused = await fetch(new URL(path, gateway.url))
      const body = (await refused.json()) as { error: object }
      assert.equal(refused.status, 401, path)
      assert.equal(refused.headers.get('www-authenticate'), 'Bearer')
      assert.partialDeepStrictEqual(body.error, { message: 'Unauthorized', type: 'authentication_error' })
    }
  })

  it('refuses a second gateway in the same home and names the first', async (test) => {
    const gateway = await gatewayFor(test)
    await assert.rejects(startGateway({ home: gateway.home }), new RegExp(String(gateway.pid)))
    assert.equal((await fetch(new URL('/health', gateway.url))).status, 200)
  })

  it('ends on SIGTERM with exit code 0 and lets the next one in', async (test) => {
    const first = await gatewayFor(test)
    assert.deepEqual(await first.kill('SIGTERM'), { code: 0, signal: null })
    const second = await gatewayFor(test, { home: first.home })
    assert.equal((await fetch(new URL('/health', second.url))).status, 200)
  })

  it('lives on when nobody reads what it prints any more, and still ends well', async (test) => {
    const gateway = await gatewayFor(test)
    gateway.stopReading()
    assert.deepEqual(await gateway.kill('SIGTERM'), { code: 0, signal: null })
  })

  it('refuses to start beyond loopback without authentication', async () => {
    await assert.rejects(startGateway({ config: 'gateway: { bind: all, auth: { enabled: false } }' }), /gateway\.auth\.enabled is false while gateway\.bind is all/)
  })
})
