import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CLIENTS_REMEMBERED, Failures } from '../../kernel/auth/failures.ts'
import { movableClock } from './parts.ts'

const limits = { authFailures: 20, authWindowSeconds: 60 }

function fail(failures: Failures, address: string, times: number): void {
  for (let each = 0; each < times; each += 1) failures.count(address)
}

describe('failed authentications', () => {
  it('lock a client out at the twentieth, until the first has left the window', () => {
    const clock = movableClock()
    const failures = new Failures(clock, limits)
    fail(failures, '192.0.2.1', 19)
    assert.equal(failures.lockedFor('192.0.2.1'), 0)
    fail(failures, '192.0.2.1', 1)
    assert.equal(failures.lockedFor('192.0.2.1'), 60)
    clock.move(59_999)
    assert.equal(failures.lockedFor('192.0.2.1'), 1)
    clock.move(1)
    assert.equal(failures.lockedFor('192.0.2.1'), 0)
  })

  it('leave the window one by one, as they came', () => {
    const clock = movableClock()
    const failures = new Failures(clock, limits)
    for (let each = 0; each < 20; each += 1) {
      failures.count('192.0.2.1')
      clock.move(2_000)
    }
    assert.equal(failures.lockedFor('192.0.2.1'), 20)
    clock.move(20_000)
    assert.equal(failures.lockedFor('192.0.2.1'), 0)
    failures.count('192.0.2.1')
    assert.equal(failures.lockedFor('192.0.2.1'), 2)
  })

  it('do not make a lock-out longer while it lasts', () => {
    const clock = movableClock()
    const failures = new Failures(clock, limits)
    fail(failures, '192.0.2.1', 20)
    clock.move(30_000)
    fail(failures, '192.0.2.1', 100)
    assert.equal(failures.lockedFor('192.0.2.1'), 30)
    clock.move(30_000)
    assert.equal(failures.lockedFor('192.0.2.1'), 0)
  })

  it('do not care what time of day it is', () => {
    const clock = movableClock()
    const failures = new Failures(clock, limits)
    fail(failures, '192.0.2.1', 20)
    clock.set(clock.now() + 86_400_000)
    assert.equal(failures.lockedFor('192.0.2.1'), 60)
    clock.set(0)
    assert.equal(failures.lockedFor('192.0.2.1'), 60)
  })

  it('are counted for each IPv4 address and for each IPv6 /64', () => {
    const failures = new Failures(movableClock(), limits)
    for (let each = 0; each < 20; each += 1) failures.count(`2001:db8::${each}`)
    assert.equal(failures.lockedFor('2001:db8::ffff'), 60)
    assert.equal(failures.lockedFor('2001:db8:0:1::1'), 0)
    for (let each = 0; each < 20; each += 1) failures.count(`192.0.2.${each}`)
    assert.equal(failures.lockedFor('192.0.2.1'), 0)
  })

  it('are remembered for a bounded number of clients', () => {
    const failures = new Failures(movableClock(), limits)
    for (let each = 0; each < CLIENTS_REMEMBERED + 5_000; each += 1) failures.count(`10.${each >> 16}.${(each >> 8) & 255}.${each & 255}`)
    assert.equal(failures.size, CLIENTS_REMEMBERED)
  })

  it('are not counted where the limit is 0', () => {
    const failures = new Failures(movableClock(), { ...limits, authFailures: 0 })
    fail(failures, '192.0.2.1', 100)
    assert.equal(failures.lockedFor('192.0.2.1'), 0)
    assert.equal(failures.size, 0)
  })
})
