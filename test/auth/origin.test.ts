import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseHost, parseOrigin } from '../../kernel/auth/host-name.ts'
import { checkHost, checkOrigin, namesOf } from '../../kernel/auth/origin.ts'
import { headWith } from './parts.ts'

const names = namesOf({
  bound: ['127.0.0.1', '::1', '192.0.2.7', 'fd00::7'],
  hosts: ['Gateway', 'gw.example.:8443'],
  origins: ['https://Page.example', 'http://localhost:5173/', 'chrome-extension://abcdef'],
})

describe('the Host of a request', () => {
  const ours = [
    'localhost', 'localhost:18789', 'LocalHost:1', 'localhost.', 'localhost.:18789', '127.0.0.1', '127.0.0.1:9999',
    '127.0.0.1.', '127.8.9.10:18789', '[::1]', '[::1]:18789',
    '[0:0:0:0:0:0:0:1]:18789', '[::ffff:127.0.0.1]', '192.0.2.7:18789', '[fd00::7]', '[FD00:0::7]:18789', 'gateway:18789',
    'GATEWAY', 'gw.example', 'gw.example.:1',
  ]
  for (const host of ours) it(`is ours: ${host}`, () => assert.equal(checkHost(headWith({ host }), names), undefined))

  const others = [
    '', ' ', 'evil.example', 'evil.example:18789', 'localhost.evil.example', 'evil-localhost', 'notlocalhost',
    'localhost@evil.example', 'user@localhost', 'user:pass@localhost:1',
    'localhost, evil.example', 'localhost evil.example', 'localhost:', 'localhost:99999', 'localhost:1x', 'localhost:-1',
    'localhost:18789:18789', 'localhost/', 'http://localhost', 'localhost#',
    'localhost..', '.localhost', '.', '127.0.0.1.nip.io', '127.1', '127.0.1', '2130706433', '0x7f000001', '0x7f.0.0.1',
    '0177.0.0.1', '127.0.0.01', '127.0.0.256', '128.0.0.1', '192.0.2.8',
    '0.0.0.0', '::1', '[::1', '::1]', '[::1]x', '[::1].evil.example', '[127.0.0.1]', '[localhost]', '[::]', '[::2]',
    '[::1%lo]', '[fd00::8]', '%6cocalhost', 'ｌocalhost', 'local\u0000host', `${'a'.repeat(64)}.example`,
  ]
  for (const host of others) {
    it(`is not ours: ${JSON.stringify(host)}`, () => {
      const turned = checkHost(headWith({ host }), names)
      assert.equal(turned?.status, 421)
      assert.equal(turned.refusal.code, 'invalid_request')
    })
  }

  it('must be there', () => assert.equal(checkHost(headWith(), names)?.status, 421))

  it('may be any address, and no other name, where every address is bound', () => {
    for (const bound of ['0.0.0.0', '::']) {
      const open = namesOf({ bound: [bound], hosts: [], origins: [] })
      for (const host of ['203.0.113.9', '[2001:db8::1]:18789', 'localhost']) assert.equal(checkHost(headWith({ host }), open), undefined)
      for (const host of ['evil.example', 'gateway', '127.1', '[evil]']) assert.equal(checkHost(headWith({ host }), open)?.status, 421)
    }
  })
})

describe('the Origin of a request', () => {
  const allowed: readonly [origin: string, host: string][] = [
    ['http://localhost:18789', 'localhost:18789'],
    ['http://localhost:18789', '127.0.0.1:18789'],
    ['http://127.0.0.1:18789', '[::1]:18789'],
    ['http://[::1]:18789', 'localhost:18789'],
    ['HTTP://LOCALHOST.:18789', 'localhost:18789'],
    ['http://localhost', 'localhost'],
    ['http://localhost:80', 'localhost'],
    ['http://localhost', 'localhost:80'],
    ['https://gw.example', 'gw.example'],
    ['https://gw.example:443', 'gw.example'],
    ['http://192.0.2.7:18789', '192.0.2.7:18789'],
    ['https://page.example', 'localhost:18789'],
    ['https://PAGE.example.:443', 'localhost:18789'],
    ['http://localhost:5173', 'localhost:18789'],
    ['chrome-extension://abcdef', 'localhost:18789'],
  ]
  for (const [origin, host] of allowed) {
    it(`may be ${origin} at ${host}`, () => assert.equal(checkOrigin(headWith({ origin, host }), names), undefined))
  }

  const refused: readonly [origin: string, host: string][] = [
    ['null', 'localhost:18789'],
    ['', 'localhost:18789'],
    ['file://', 'localhost:18789'],
    ['http://evil.example', 'localhost:18789'],
    ['http://evil.example:18789', 'localhost:18789'],
    ['http://evil.example:18789', 'evil.example:18789'],
    ['http://localhost', 'localhost:18789'],
    ['http://localhost:3000', 'localhost:18789'],
    ['http://127.0.0.2:18789', 'localhost:18789'],
    ['http://gw.example:18789', 'localhost:18789'],
    ['http://page.example', 'localhost:18789'],
    ['https://page.example:8443', 'localhost:18789'],
    ['https://sub.page.example', 'localhost:18789'],
    ['https://page.example.evil.example', 'localhost:18789'],
    ['https://page.example@evil.example', 'localhost:18789'],
    ['https://evil.example#page.example', 'localhost:18789'],
    ['https://page.example/', 'localhost:18789'],
    ['https://page.example, https://evil.example', 'localhost:18789'],
    ['https://page.example https://evil.example', 'localhost:18789'],
    ['http://localhost:18789@evil.example', 'localhost:18789'],
    ['http://user@localhost:18789', 'localhost:18789'],
    ['http:\\\\localhost:18789', 'localhost:18789'],
    ['http://localhost:18789.evil.example', 'localhost:18789'],
    ['http://2130706433:18789', 'localhost:18789'],
    ['ws://localhost:18789', 'localhost:18789'],
    ['chrome-extension://abcdeg', 'localhost:18789'],
    ['javascript:alert(1)', 'localhost:18789'],
  ]
  for (const [origin, host] of refused) {
    it(`may not be ${JSON.stringify(origin)} at ${host}`, () => {
      const turned = checkOrigin(headWith({ origin, host }), names)
      assert.equal(turned?.status, 403)
      assert.equal(turned.refusal.code, 'forbidden')
    })
  }

  it('is not asked of what is no browser', () => assert.equal(checkOrigin(headWith({ host: 'localhost' }), names), undefined))
})

describe('names in the config', () => {
  it('are refused by the entry where one is malformed', () => {
    const rules = { bound: ['127.0.0.1'], hosts: [], origins: [] }
    assert.throws(() => namesOf({ ...rules, hosts: ['ok', 'http://gw.example'] }), { code: 'invalid_request', message: /gateway\.hosts has 'http:\/\/gw\.example'/ })
    for (const origin of ['*', 'null', 'page.example', 'https://page.example/app']) {
      assert.throws(() => namesOf({ ...rules, origins: [origin] }), { code: 'invalid_request', param: 'gateway.origins' })
    }
  })
})

it('hosts and origins are read from any text without a throw, and to the same name again', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.webAuthority(), fc.ipV6().map((ip) => `[${ip}]:1`), fc.ipV4()), (text) => {
      const host = parseHost(text)
      if (host !== undefined) assert.equal(parseHost(host.name.includes(':') ? `[${host.name}]` : host.name)?.name, host.name)
      const origin = parseOrigin(`http://${text}`)
      if (origin !== undefined) assert.equal(parseOrigin(origin.text)?.text, origin.text)
      checkHost(headWith({ host: text }), names)
      checkOrigin(headWith({ host: text, origin: text }), names)
    }),
  )
})

it('a host that is accepted is the one a URL parser finds too', () => {
  fc.assert(
    fc.property(fc.oneof(fc.webAuthority({ withPort: true }), fc.ipV6().map((ip) => `[${ip}]`), fc.ipV4()), (text) => {
      const host = parseHost(text)
      if (host === undefined || host.name.includes('_')) return
      const { hostname } = new URL(`http://${text}`)
      if (!host.isAddress) assert.equal(host.name, hostname.replace(/\.$/, ''))
    }),
  )
})
