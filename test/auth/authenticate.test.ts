import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it, type TestContext } from 'node:test'
import { SCOPES } from '@isopod/plugin-api'
import { Authenticator, type AuthRules, type Verdict } from '../../kernel/auth/authenticate.ts'
import { presentedInFrame } from '../../kernel/auth/credentials.ts'
import { sameDigest, digestOf } from '../../kernel/auth/digest.ts'
import { Failures } from '../../kernel/auth/failures.ts'
import { TokenBook } from '../../kernel/auth/tokens.ts'
import { DEFAULT_LIMITS } from '../../kernel/limits.ts'
import { basic, headWith, movableClock, temporaryHome } from './parts.ts'

const TOKEN = 'a-token-from-the-config'
const PASSWORD = 'correct horse battery'
const both = { enabled: true, token: TOKEN, password: PASSWORD }
const tooMany = 'Too many failed authentication attempts. Please try again later.'

async function gateway(test: TestContext, rules: AuthRules = both) {
  const clock = movableClock()
  const tokens = new TokenBook({ home: await temporaryHome(test), clock, warn: (message) => assert.fail(message) })
  const failures = new Failures(clock, DEFAULT_LIMITS)
  test.after(() => tokens.close())
  const withRules = (other: AuthRules) => new Authenticator(other, { tokens, failures })
  return { clock, tokens, failures, withRules, authenticator: withRules(rules) }
}

const who = ({ caller, refusal }: Verdict): string | undefined => caller?.id ?? refusal?.code

function failing(authenticator: Authenticator, times: number, address = '192.0.2.1'): void {
  for (let each = 0; each < times; each += 1) authenticator.authenticateHead(headWith({ authorization: `Bearer wrong ${each}` }, '', address))
}

describe('a credential', () => {
  const places: readonly [place: string, head: (secret: string) => ReturnType<typeof headWith>][] = [
    ['Bearer', (secret) => headWith({ authorization: `Bearer ${secret}` })],
    ['Basic', (secret) => headWith({ authorization: basic('anyone', secret) })],
    ['X-OpenClaw-Token', (secret) => headWith({ 'x-openclaw-token': secret })],
    ['X-OpenClaw-Password', (secret) => headWith({ 'x-openclaw-password': secret })],
    ['?token=', (secret) => headWith({}, `token=${encodeURIComponent(secret)}`)],
    ['?password=', (secret) => headWith({}, `password=${encodeURIComponent(secret)}`)],
  ]
  for (const [place, head] of places) {
    it(`is accepted in ${place}, be it token or password, and a wrong one is not`, async (test) => {
      const { authenticator, tokens } = await gateway(test)
      const { token, listing } = await tokens.create({ name: 'phone', scopes: ['read'] }, SCOPES)
      assert.equal(who(authenticator.authenticateHead(head(TOKEN))), 'token:configured')
      assert.equal(who(authenticator.authenticateHead(head(PASSWORD))), 'password')
      assert.equal(who(authenticator.authenticateHead(head(token))), `token:${listing.id}`)
      assert.deepEqual(authenticator.authenticateHead(head(`${TOKEN}x`)), { refusal: { code: 'unauthorized', message: 'Unauthorized' } })
    })
  }

  it('is accepted in a first frame', async (test) => {
    const { authenticator } = await gateway(test)
    assert.equal(who(authenticator.authenticate(presentedInFrame({ token: TOKEN }), '127.0.0.1')), 'token:configured')
    assert.equal(who(authenticator.authenticate(presentedInFrame({ password: PASSWORD }), '127.0.0.1')), 'password')
    assert.equal(who(authenticator.authenticate(presentedInFrame({}), '127.0.0.1')), 'unauthorized')
  })

  it('gives its own scopes, whatever the client says of itself', async (test) => {
    const { authenticator, tokens } = await gateway(test)
    const { token, listing } = await tokens.create({ name: 'agent', scopes: ['read'] }, SCOPES)
    const verdict = authenticator.authenticateHead(headWith({ authorization: `Bearer ${token}`, 'x-openclaw-scopes': 'admin' }, 'scopes=admin', '192.0.2.9'))
    assert.deepEqual(verdict, { caller: { id: `token:${listing.id}`, scopes: ['read'], origin: 'owner', address: '192.0.2.9' } })
    assert.deepEqual(authenticator.authenticateHead(headWith({ authorization: `Bearer ${TOKEN}` })).caller?.scopes, SCOPES)
  })

  it('is not there by being empty in the config', async (test) => {
    const { authenticator } = await gateway(test, { enabled: true, token: '', password: '' })
    assert.equal(authenticator.configured, false)
    for (const head of [headWith(), headWith({ authorization: 'Bearer ' }), headWith({ authorization: basic('', '') }), headWith({}, 'token=')]) {
      assert.equal(who(authenticator.authenticateHead(head)), 'unauthorized')
    }
  })

  it('marks its token as used', async (test) => {
    const { authenticator, tokens } = await gateway(test)
    const { token } = await tokens.create({ name: 'phone', scopes: ['read'] }, SCOPES)
    authenticator.authenticateHead(headWith({ authorization: `Bearer ${token}` }))
    assert.notEqual(tokens.list()[0]?.lastUsedAt, undefined)
  })

  it('stops working when its token is revoked, and those who used it are no longer held', async (test) => {
    const { authenticator, tokens } = await gateway(test)
    const { token } = await tokens.create({ name: 'phone', scopes: ['read'] }, SCOPES)
    const head = headWith({ authorization: `Bearer ${token}` })
    const { caller } = authenticator.authenticateHead(head)
    assert.ok(caller !== undefined && authenticator.holds(caller))
    await tokens.revoke('phone')
    assert.equal(who(authenticator.authenticateHead(head)), 'unauthorized')
    assert.equal(authenticator.holds(caller), false)
  })

  it('of the config is used instead of the token made at first start', async (test) => {
    const { withRules, tokens } = await gateway(test)
    const head = headWith({ authorization: `Bearer ${await tokens.createFirst()}` })
    const before = withRules({ enabled: true })
    const { caller } = before.authenticateHead(head)
    assert.ok(caller !== undefined)
    const after = withRules({ enabled: true, token: TOKEN })
    assert.equal(who(after.authenticateHead(head)), 'unauthorized')
    assert.equal(after.holds(caller), false)
    assert.deepEqual(after.lapsedSince(before), [caller.id])
  })
})

describe('a credential in the query', () => {
  const cases: readonly [query: boolean | undefined, address: string, accepted: boolean][] = [
    [undefined, '127.0.0.1', true],
    [undefined, '::1', true],
    [undefined, '192.0.2.1', false],
    [true, '192.0.2.1', true],
    [false, '127.0.0.1', false],
  ]
  for (const [query, address, accepted] of cases) {
    it(`is ${accepted ? 'accepted' : 'refused, with what to do,'} from ${address} where gateway.auth.query is ${query}`, async (test) => {
      const { authenticator, failures } = await gateway(test, query === undefined ? both : { ...both, query })
      const { caller, refusal } = authenticator.authenticateHead(headWith({}, `token=${TOKEN}`, address))
      assert.equal(caller?.id, accepted ? 'token:configured' : undefined)
      if (!accepted) assert.match(refusal?.message ?? '', /gateway\.auth\.query: true/)
      assert.equal(failures.size, 0)
    })
  }
})

describe('after twenty wrong credentials', () => {
  it('a client is told to wait, a token still passes, and a password does not', async (test) => {
    const { authenticator, tokens, clock } = await gateway(test)
    const { token } = await tokens.create({ name: 'phone', scopes: ['read'] }, SCOPES)
    const from = (headers: Record<string, string>) => authenticator.authenticateHead(headWith(headers, '', '192.0.2.1'))
    failing(authenticator, 20)
    clock.move(10_000)
    const refusal = { code: 'rate_limited', message: tooMany, retryable: true, retryAfterSeconds: 50 }
    assert.deepEqual(from({ authorization: 'Bearer wrong' }), { refusal })
    assert.deepEqual(from({ authorization: basic('me', PASSWORD) }), { refusal })
    assert.deepEqual(from({ authorization: 'nonsense' }), { refusal })
    assert.equal(who(from({ authorization: `Bearer ${TOKEN}` })), 'token:configured')
    assert.match(who(from({ 'x-openclaw-token': token })) ?? '', /^token:id-/)
    assert.equal(who(from({})), 'unauthorized')
    assert.equal(who(authenticator.authenticateHead(headWith({ authorization: basic('me', PASSWORD) }, '', '192.0.2.2'))), 'password')
    clock.move(50_000)
    assert.equal(who(from({ authorization: basic('me', PASSWORD) })), 'password')
  })

  it('the twentieth itself is still plainly unauthorized', async (test) => {
    const { authenticator } = await gateway(test)
    failing(authenticator, 19)
    const head = headWith({ authorization: 'Bearer wrong' }, '', '192.0.2.1')
    assert.equal(who(authenticator.authenticateHead(head)), 'unauthorized')
    assert.equal(who(authenticator.authenticateHead(head)), 'rate_limited')
  })

  it('malformed ones have counted, missing and good ones have not', async (test) => {
    const { authenticator } = await gateway(test)
    const from = (headers: Record<string, string>) => who(authenticator.authenticateHead(headWith(headers, '', '192.0.2.1')))
    for (let each = 0; each < 50; each += 1) {
      assert.equal(from({}), 'unauthorized')
      assert.equal(from({ authorization: basic('me', PASSWORD) }), 'password')
    }
    for (let each = 0; each < 20; each += 1) assert.equal(from({ authorization: 'Bearer' }), 'unauthorized')
    assert.equal(from({ authorization: 'Bearer' }), 'rate_limited')
  })

  it('a new config does not open the lock-out', async (test) => {
    const { authenticator, withRules } = await gateway(test)
    failing(authenticator, 20)
    assert.equal(who(withRules(both).authenticateHead(headWith({ authorization: 'Bearer wrong' }, '', '192.0.2.1'))), 'rate_limited')
  })
})

describe('without authentication', () => {
  it('everyone on this machine is the local caller, nobody else is let in, and the owner hears of it', async (test) => {
    const { authenticator } = await gateway(test, { enabled: false })
    assert.deepEqual(authenticator.authenticateHead(headWith()).caller, { id: 'local', scopes: SCOPES, origin: 'owner', address: '127.0.0.1' })
    assert.equal(who(authenticator.authenticateHead(headWith({ authorization: 'Bearer whatever' }, '', '::1'))), 'local')
    assert.equal(who(authenticator.authenticateHead(headWith({}, '', '192.0.2.1'))), 'unauthorized')
    assert.match(authenticator.warnings.join(), /Authentication is off/)
    assert.equal(authenticator.kind, 'none')
  })
})

describe('what is said of authentication', () => {
  it('is password only where there is nothing but a password', async (test) => {
    const { withRules, tokens } = await gateway(test)
    const passwordOnly = withRules({ enabled: true, password: PASSWORD })
    assert.equal(passwordOnly.kind, 'password')
    assert.equal(withRules(both).kind, 'token')
    assert.equal(withRules({ enabled: true }).hasCredential, false)
    await tokens.createFirst()
    assert.equal(passwordOnly.kind, 'token')
    assert.equal(withRules({ enabled: true }).hasCredential, true)
  })

  it('warns of secrets that can be guessed, without saying them', async (test) => {
    const { withRules } = await gateway(test)
    const { warnings } = withRules({ enabled: true, token: 'hunter2', password: PASSWORD })
    assert.equal(warnings.length, 1)
    assert.match(warnings[0] ?? '', /gateway\.auth\.token/)
    assert.ok(!warnings.join().includes('hunter2'))
  })

  it('names the callers whose credential a new config changed', async (test) => {
    const { withRules } = await gateway(test)
    const before = withRules(both)
    assert.deepEqual(withRules(both).lapsedSince(before), [])
    assert.deepEqual(withRules({ ...both, token: 'another-long-token' }).lapsedSince(before), ['token:configured'])
    assert.deepEqual(withRules({ enabled: true, token: TOKEN }).lapsedSince(before), ['password'])
    assert.deepEqual(withRules(both).lapsedSince(withRules({ enabled: false })), ['local'])
  })
})

describe('secrets', () => {
  it('are the same only where every digit of their digests is', () => {
    const digest = digestOf('secret')
    assert.equal(sameDigest(digest, digestOf('secret')), true)
    for (const at of [0, 31, 63]) assert.equal(sameDigest(digest, digest.slice(0, at) + (digest[at] === '0' ? '1' : '0') + digest.slice(at + 1)), false)
    assert.equal(sameDigest(digest, ''), false)
  })

  it('are compared in constant time: what the authenticator knows meets what it is shown in sameDigest alone', async () => {
    const source = await readFile(new URL('../../kernel/auth/authenticate.ts', import.meta.url), 'utf8')
    const find = source.slice(source.indexOf('#find(value: string)'))
    for (const secret of ['this.#token', 'this.#password']) assert.ok(find.includes(`sameDigest(digest, ${secret})`))
    assert.match(await readFile(new URL('../../kernel/auth/digest.ts', import.meta.url), 'utf8'), /timingSafeEqual\(left, right\)/)
  })

  it('appear in no refusal, whatever is sent', async (test) => {
    const { authenticator } = await gateway(test)
    const heads = [headWith({ authorization: 'Bearer tell-nobody' }), headWith({ authorization: 'tell-nobody' }), headWith({}, 'token=tell-nobody', '192.0.2.1')]
    for (const head of heads) assert.ok(!JSON.stringify(authenticator.authenticateHead(head)).includes('tell-nobody'))
  })
})
