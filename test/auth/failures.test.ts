import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CLIENTS_REMEMBERED, Failures, TOLD_AT_MOST } from '../../kernel/auth/failures.ts'
import { movableClock } from './parts.ts'

const limits = { authFailures: 20, authWindowSeconds: 60 }

function fail(failures: Failures, address: string, times: number): void {
  for (let each = 0; each < times; each += 1) failures.count(address)
}

function telling(under = limits) {
  const clock = movableClock()
  const told: string[] = []
  return { clock, told, failures: new Failures(clock, under, (message) => void told.push(message)) }
}

const unknownFrom = (address: string) => `A credential that is not known was shown from ${address}`

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

  it('are told with their address, once a minute for each', () => {
    const { clock, failures, told } = telling()
    fail(failures, '192.0.2.1', 5)
    fail(failures, '192.0.2.2', 1)
    clock.move(59_999)
    fail(failures, '192.0.2.1', 1)
    assert.deepEqual(told, [unknownFrom('192.0.2.1'), unknownFrom('192.0.2.2')])
    clock.move(1)
    fail(failures, '192.0.2.1', 1)
    assert.deepEqual(told.slice(2), [unknownFrom('192.0.2.1')])
  })

  it('are told once more when they lock a client out, not at each that stands at the edge', () => {
    const { clock, failures, told } = telling()
    fail(failures, '192.0.2.1', 25)
    assert.deepEqual(told, [unknownFrom('192.0.2.1'), '192.0.2.1 is locked out for 60 s: it showed 20 credentials that are not known'])
    for (let each = 0; each < 60; each += 1) {
      clock.move(1_000)
      failures.count('192.0.2.1')
    }
    assert.deepEqual(told.slice(2), [unknownFrom('192.0.2.1')])
  })

  it('are told where nobody is ever locked out', () => {
    const { failures, told } = telling({ ...limits, authFailures: 0 })
    fail(failures, '192.0.2.1', 3)
    assert.deepEqual(told, [unknownFrom('192.0.2.1')])
  })

  it('of very many clients are told a hundred times a minute, and then that there are many', () => {
    const { clock, failures, told } = telling()
    for (let each = 0; each < 5_000; each += 1) failures.count(`10.0.${each >> 8}.${each & 255}`)
    assert.equal(told.length, TOLD_AT_MOST)
    assert.match(told.at(-1) ?? '', /very many addresses/)
    clock.move(60_000)
    failures.count('192.0.2.1')
    assert.equal(told.at(-1), unknownFrom('192.0.2.1'))
  })

  it('are held to the limit in force, and a change of it forgets none', () => {
    const clock = movableClock()
    const inForce = { ...limits }
    const failures = new Failures(clock, inForce)
    fail(failures, '192.0.2.1', 10)
    clock.move(10_000)
    inForce.authFailures = 5
    assert.equal(failures.lockedFor('192.0.2.1'), 50)
    inForce.authFailures = 30
    fail(failures, '192.0.2.1', 20)
    assert.equal(failures.lockedFor('192.0.2.1'), 50)
    inForce.authWindowSeconds = 20
    assert.equal(failures.lockedFor('192.0.2.1'), 10)
    inForce.authFailures = 0
    assert.equal(failures.lockedFor('192.0.2.1'), 0)
  })

  it('are not counted where the limit is 0', () => {
    const failures = new Failures(movableClock(), { ...limits, authFailures: 0 })
    fail(failures, '192.0.2.1', 100)
    assert.equal(failures.lockedFor('192.0.2.1'), 0)
    assert.equal(failures.size, 0)
  })
})
