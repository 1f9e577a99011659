import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkBind, hostsOf } from '../../kernel/auth/bind.ts'

const open = { authEnabled: false, hasCredential: false }
const closed = { authEnabled: true, hasCredential: true }

describe('what to listen on', () => {
  const binds: readonly [bind: string, hosts: readonly string[]][] = [
    ['loopback', ['127.0.0.1', '::1']],
    ['localhost', ['127.0.0.1', '::1']],
    ['all', ['0.0.0.0', '::']],
    ['127.0.0.1', ['127.0.0.1']],
    ['192.0.2.7', ['192.0.2.7']],
    ['[::1]', ['::1']],
  ]
  for (const [bind, hosts] of binds) it(`is ${hosts.join(' and ')} for ${bind}`, () => assert.deepEqual(hostsOf(bind), hosts))

  for (const bind of ['', 'ALL', 'gateway.example', '127.1', '192.0.2.7:18789']) {
    it(`is not '${bind}'`, () => assert.throws(() => hostsOf(bind), { code: 'invalid_request', param: 'gateway.bind', message: /loopback, all, or an IP address/ }))
  }
})

describe('listening without authentication', () => {
  for (const bind of ['loopback', '127.0.0.1', '127.3.2.1', '::1', '::ffff:127.0.0.1']) {
    it(`is allowed on ${bind}`, () => assert.equal(checkBind({ bind, ...open }).loopback, true))
  }
  for (const bind of ['all', '0.0.0.0', '::', '192.0.2.7', 'fd00::7']) {
    it(`is refused on ${bind}, with what to do`, () => {
      assert.throws(() => checkBind({ bind, ...open }), { code: 'invalid_request', message: /authentication is off.*gateway\.auth\.enabled: true, or gateway\.bind: loopback/ })
      assert.throws(() => checkBind({ bind, authEnabled: true, hasCredential: false }), { message: /gateway\.auth\.token or gateway\.auth\.password/ })
      assert.equal(checkBind({ bind, ...closed }).loopback, false)
    })
  }
})
