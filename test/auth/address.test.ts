import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { clientOf, isLoopback, shortest } from '../../kernel/auth/address.ts'

describe('an address', () => {
  const loopback = ['127.0.0.1', '127.255.0.3', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', '::FFFF:7f00:1', '::1%lo']
  for (const address of loopback) it(`is loopback: ${address}`, () => assert.equal(isLoopback(address), true))

  const elsewhere = ['', '0.0.0.0', '::', '128.0.0.1', '10.127.0.1', '::2', '1::1', '::ffff:128.0.0.1', '127.0.0.1.example', '127.1', 'localhost', '::127.0.0.1']
  for (const address of elsewhere) it(`is not loopback: '${address}'`, () => assert.equal(isLoopback(address), false))

  const clients: readonly [address: string, client: string][] = [
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::ffff:c000:207', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::', '2001:db8:1:2::/64'],
    ['2001:db8::6', '2001:db8:0:0::/64'],
    ['2001:db8:0:1::', '2001:db8:0:1::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['a unix socket', 'a unix socket'],
  ]
  for (const [address, client] of clients) it(`${address} is counted as ${client}`, () => assert.equal(clientOf(address), client))

  it('is counted by its first four groups, however it is written', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0xffff), { minLength: 4, maxLength: 4 }), fc.array(fc.nat(0xffff), { minLength: 4, maxLength: 4 }), (network, rest) => {
        fc.pre(network.some((group) => group !== 0))
        const [long, short] = [(group: number) => group.toString(16).padStart(4, '0'), (group: number) => group.toString(16)]
        const client = `${network.map(short).join(':')}::/64`
        assert.equal(clientOf([...network, ...rest].map(long).join(':')), client)
        assert.equal(clientOf(shortest([...network, ...rest].map(short).join(':')) ?? ''), client)
      }),
    )
  })
})
