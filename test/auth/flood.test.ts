/** A flood of addresses and credentials: what is remembered of them stays small, and costs those who are known nothing. */
import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { describe, it } from 'node:test'
import { runInNewContext } from 'node:vm'
import { clientOf } from '../../kernel/auth/address.ts'
import { CLIENTS_REMEMBERED, Failures } from '../../kernel/auth/failures.ts'
import { KEYS_REMEMBERED, Throttle } from '../../kernel/auth/throttle.ts'
import { movableClock } from './parts.ts'

const MIB = 1024 * 1024
const ADDRESSES = 200_000

const v4 = (each: number): string => `10.${each >> 16}.${(each >> 8) & 255}.${each & 255}`
/** Each in a /64 of its own. */
const v6 = (each: number): string => `2001:db8:${(each >> 16).toString(16)}:${(each & 0xffff).toString(16)}::1`

setFlagsFromString('--expose-gc')
// The flag puts `gc` into contexts that are made after it.
const gc = runInNewContext('gc') as () => void

/** What is left on the heap of what was done. */
function kept(act: () => void): number {
  gc()
  const before = process.memoryUsage().heapUsed
  act()
  gc()
  return process.memoryUsage().heapUsed - before
}

describe('200,000 addresses', () => {
  for (const [kind, address] of [['IPv4', v4], ['IPv6', v6]] as const) {
    it(`of ${kind} that fail are remembered in a few megabytes`, () => {
      const failures = new Failures(movableClock(), { authFailures: 20, authWindowSeconds: 60 })
      const bytes = kept(() => {
        for (let each = 0; each < ADDRESSES; each += 1) failures.count(address(each))
      })
      assert.equal(failures.size, CLIENTS_REMEMBERED)
      assert.ok(bytes < 16 * MIB, `${bytes} bytes`)
    })

    it(`of ${kind} that open sockets without a credential are remembered in a few megabytes`, () => {
      const throttle = new Throttle(movableClock(), { requestsPerMinute: 100, callsPerMinute: 6_000, connections: 10 })
      const bytes = kept(() => {
        for (let each = 0; each < ADDRESSES; each += 1) {
          const key = `address:${clientOf(address(each))}`
          throttle.take(key, 'stranger')
          throttle.connect(key)?.()
        }
      })
      assert.equal(throttle.connections(`address:${clientOf(address(0))}`), 0)
      assert.ok(bytes < 16 * MIB, `${bytes} bytes`)
    })
  }

  it('have no credential\'s share counted anew', () => {
    const throttle = new Throttle(movableClock(), { requestsPerMinute: 1, callsPerMinute: 1, connections: 0 })
    throttle.take('token:a', 'request')
    for (let each = 0; each < KEYS_REMEMBERED + 1; each += 1) throttle.take(`address:${v4(each)}`, 'stranger')
    assert.notEqual(throttle.take('token:a', 'request'), undefined)
  })
})
