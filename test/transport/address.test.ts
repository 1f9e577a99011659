import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressText, hostPort, shortAddress } from '../../kernel/transport/address.ts'

const bytes = (...octets: number[]) => new Uint8Array(octets).buffer
const groups = (...words: number[]) => bytes(...words.flatMap((word) => [word >> 8, word & 0xff]))

test('bytes become the shortest text', () => {
  assert.equal(addressText(bytes(192, 0, 2, 1)), '192.0.2.1')
  assert.equal(addressText(groups(0, 0, 0, 0, 0, 0, 0, 1)), '::1')
  assert.equal(addressText(groups(0, 0, 0, 0, 0, 0, 0, 0)), '::')
  assert.equal(addressText(groups(0x2001, 0xdb8, 0, 0, 1, 0, 0, 1)), '2001:db8::1:0:0:1')
  assert.equal(addressText(groups(0x2001, 0xdb8, 0, 1, 1, 1, 1, 1)), '2001:db8:0:1:1:1:1:1')
  assert.equal(addressText(groups(0x2001, 0, 0, 1, 0, 0, 0, 1)), '2001:0:0:1::1')
  assert.equal(addressText(groups(0xfe80, 0, 0, 0, 0, 0, 0, 0)), 'fe80::')
  assert.equal(addressText(bytes()), '')
})

test('an IPv4 address inside IPv6 is an IPv4 address', () => {
  assert.equal(addressText(bytes(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 7)), '10.0.0.7')
  assert.equal(shortAddress('::ffff:10.0.0.7'), '10.0.0.7')
})

test('a text loses its zone and nothing else', () => {
  assert.equal(shortAddress('fe80::1%eth0'), 'fe80::1')
  assert.equal(shortAddress('::1'), '::1')
  assert.equal(shortAddress(undefined), '')
})

test('an IPv6 address stands in brackets before its port', () => {
  assert.equal(hostPort('::1', 80), '[::1]:80')
  assert.equal(hostPort('127.0.0.1', 80), '127.0.0.1:80')
})
