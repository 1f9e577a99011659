import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { presented, presentedInFrame, withoutCredentials, type Presented } from '../../kernel/auth/credentials.ts'
import { basic, headWith } from './parts.ts'

const everywhere = { queryAllowed: true }

const malformed = (via: Presented['via']): Presented => ({ kind: 'malformed', via })

describe('a credential in a request', () => {
  const places: readonly [name: string, headers: Record<string, string>, query: string, found: Presented | undefined][] = [
    ['none', {}, '', undefined],
    ['other parameters', {}, 'tokens=1&Token=2&x', undefined],
    ['Bearer', { authorization: 'Bearer abc' }, '', { kind: 'token', value: 'abc', via: 'authorization' }],
    ['bearer in any case, with several spaces', { authorization: 'bEARER   abc' }, '', { kind: 'token', value: 'abc', via: 'authorization' }],
    ['Basic', { authorization: basic('me', 'pw') }, '', { kind: 'password', value: 'pw', via: 'basic' }],
    ['Basic without a user', { authorization: basic('', 'pw') }, '', { kind: 'password', value: 'pw', via: 'basic' }],
    ['Basic with colons and umlauts', { authorization: basic('me', 'p:ä:w') }, '', { kind: 'password', value: 'p:ä:w', via: 'basic' }],
    ['X-OpenClaw-Token', { 'x-openclaw-token': 'abc' }, '', { kind: 'token', value: 'abc', via: 'header' }],
    ['X-OpenClaw-Password', { 'x-openclaw-password': 'p w' }, '', { kind: 'password', value: 'p w', via: 'header' }],
    ['?token=', {}, 'a=1&token=abc', { kind: 'token', value: 'abc', via: 'query' }],
    ['?password=', {}, 'password=p%20w+x', { kind: 'password', value: 'p w x', via: 'query' }],
    ['an escaped name', {}, '%74oken=abc', { kind: 'token', value: 'abc', via: 'query' }],
    ['a value with =', {}, 'token=a==', { kind: 'token', value: 'a==', via: 'query' }],
    ['Bearer and nothing', { authorization: 'Bearer' }, '', malformed('authorization')],
    ['Bearer and spaces', { authorization: 'Bearer  ' }, '', malformed('authorization')],
    ['an unknown scheme', { authorization: 'Digest abc' }, '', malformed('authorization')],
    ['an empty Authorization', { authorization: '' }, '', malformed('authorization')],
    ['Basic that is no base64', { authorization: 'Basic !!!' }, '', malformed('basic')],
    ['Basic without a colon', { authorization: `Basic ${btoa('mepw')}` }, '', malformed('basic')],
    ['Basic with an empty password', { authorization: basic('me', '') }, '', malformed('basic')],
    ['an empty header', { 'x-openclaw-token': '' }, '', malformed('header')],
    ['a control character', { 'x-openclaw-token': 'a\u0007b' }, '', malformed('header')],
    ['something endless', { 'x-openclaw-token': 'a'.repeat(4097) }, '', malformed('header')],
    ['an empty ?token', {}, 'token', malformed('query')],
    ['broken escapes', {}, 'token=%zz', malformed('query')],
    ['?token= twice', {}, 'token=a&token=a', malformed('query')],
  ]
  for (const [name, headers, query, found] of places) {
    it(`is found: ${name}`, () => assert.deepEqual(presented(headWith(headers, query), everywhere), found))
  }

  it('is taken from the strongest place, even if that one is malformed', () => {
    const withoutToken = { 'x-openclaw-password': '2', authorization: 'Bearer 3' }
    const all = { 'x-openclaw-token': '1', ...withoutToken }
    assert.deepEqual(presented(headWith(all, 'token=4&password=5'), everywhere), { kind: 'token', value: '1', via: 'header' })
    assert.deepEqual(presented(headWith(withoutToken, 'token=4'), everywhere), { kind: 'password', value: '2', via: 'header' })
    assert.deepEqual(presented(headWith({ authorization: 'x' }, 'token=4'), everywhere), malformed('authorization'))
    assert.deepEqual(presented(headWith({}, 'password=5&token=4'), everywhere), { kind: 'token', value: '4', via: 'query' })
  })

  it('is refused in the query where that is not allowed, and the query is ignored where a header has one', () => {
    assert.deepEqual(presented(headWith({}, 'token=abc'), { queryAllowed: false }), { kind: 'refused', via: 'query' })
    assert.deepEqual(presented(headWith({}, 'password=abc'), { queryAllowed: false }), { kind: 'refused', via: 'query' })
    assert.equal(presented(headWith({ authorization: 'Bearer a' }, 'token=b'), { queryAllowed: false })?.via, 'authorization')
  })

  it('is looked for in any bytes whatever without a throw', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^([Bb]earer|BASIC) .*$/), fc.base64String().map((value) => `Basic ${value}`))
    const query = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^(%?[a-f0-9]{0,2}(token|password)?[=&%+?]){0,8}$/))
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('authorization', 'x-openclaw-token', 'x-openclaw-password'), text), query, (headers, asked) => {
        const found = presented(headWith(headers, asked), everywhere)
        if (Object.keys(headers).length > 0) assert.notEqual(found, undefined)
        if (found !== undefined && 'value' in found) assert.notEqual(found.value, '')
        withoutCredentials(asked)
      }),
    )
  })

  it('comes out as it went in, in every place, whatever it consists of', () => {
    const secret = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 100 }).filter((value) => value.trim() === value && !/\p{C}/u.test(value))
    fc.assert(
      fc.property(secret, (value) => {
        const heads = [
          headWith({ authorization: `Bearer ${value}` }),
          headWith({ authorization: basic('me', value) }),
          headWith({ 'x-openclaw-token': value }),
          headWith({ 'x-openclaw-password': value }),
          headWith({}, new URLSearchParams({ token: value }).toString()),
          headWith({}, `password=${encodeURIComponent(value)}`),
        ]
        for (const head of heads) {
          const found = presented(head, everywhere)
          assert.equal(found !== undefined && 'value' in found && found.value, value)
        }
      }),
    )
  })
})

describe('a credential in a first frame', () => {
  const frames: readonly [auth: Record<string, unknown>, found: Presented | undefined][] = [
    [{}, undefined],
    [{ token: '', password: null }, undefined],
    [{ token: 'abc', password: 'pw' }, { kind: 'token', value: 'abc', via: 'frame' }],
    [{ token: '', password: 'pw' }, { kind: 'password', value: 'pw', via: 'frame' }],
    [{ token: 12 }, malformed('frame')],
    [{ password: { $ne: 1 } }, malformed('frame')],
  ]
  for (const [auth, found] of frames) it(`is read from ${JSON.stringify(auth)}`, () => assert.deepEqual(presentedInFrame(auth), found))
})

describe('a query for the log', () => {
  const queries: readonly [query: string, logged: string][] = [
    ['', ''],
    ['limit=5&after=x%20y', 'limit=5&after=x%20y'],
    ['limit=5&token=abc', 'limit=5&token=[redacted]'],
    ['password=abc&limit=5', 'password=[redacted]&limit=5'],
    ['%74oken=abc', '[redacted]'],
    ['TOKEN=abc', '[redacted]'],
    ['access_token=abc', '[redacted]'],
    ['a=1?token=abc', '[redacted]'],
    ['a=1;token=abc', '[redacted]'],
    ['%zz=abc', '[redacted]'],
  ]
  for (const [query, logged] of queries) it(`is '${logged}' for '${query}'`, () => assert.equal(withoutCredentials(query), logged))

  it('never holds what would have been taken as the credential', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.constantFrom('token', '%74oken', 'p%61ssword', 'limit'), fc.uuid())), (pairs) => {
      const query = pairs.map((one) => one.join('=')).join('&')
      for (const [name, secret] of pairs) if (name !== 'limit') assert.ok(!withoutCredentials(query).includes(secret))
    }))
  })
})
