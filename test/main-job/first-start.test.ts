import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
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

  it('listens on loopback and says where, and what to say first', async (test) => {
    verifies('001:bind', '000:port')
    const gateway = await gatewayFor(test, { ownToken: true })
    assert.match(gateway.printed, /listens on http:\/\/127\.0\.0\.1:\d+/)
    assert.match(gateway.printed, /curl http:\/\/127\.0\.0\.1:\d+\/v1\/chat\/completions/)
  })

  it('answers the health check without a credential, and nothing else', async (test) => {
    verifies('004:health', '000:auth:all-requests', '004:error:401')
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
