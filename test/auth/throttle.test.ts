import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { KEYS_REMEMBERED, Throttle } from '../../kernel/auth/throttle.ts'
import { movableClock, type MovableClock } from './parts.ts'

const limits = { requestsPerMinute: 100, callsPerMinute: 6_000, connections: 10 }

function takes(throttle: Throttle, key: string, count: number): number {
  return Array.from({ length: count }, () => throttle.take(key, 'request')).filter((wait) => wait === undefined).length
}

/** Waits for as long as it is told, and answers how long that was. */
function wait(throttle: Throttle, clock: MovableClock): number {
  const seconds = throttle.take('a', 'request')
  assert.ok(seconds !== undefined && Number.isInteger(seconds) && seconds > 0)
  clock.move(seconds * 1000)
  return seconds
}

describe('requests of one credential', () => {
  it('are a hundred a minute, and the next one is told when', () => {
    const clock = movableClock()
    const throttle = new Throttle(clock, limits)
    assert.equal(takes(throttle, 'a', 150), 100)
    clock.move(20_000)
    assert.equal(throttle.take('a', 'request'), 41)
    clock.move(41_000)
    assert.equal(throttle.take('a', 'request'), undefined)
  })

  it('do not use up another credential\'s allowance, nor that of calls', () => {
    const throttle = new Throttle(movableClock(), limits)
    takes(throttle, 'a', 100)
    assert.equal(throttle.take('b', 'request'), undefined)
    assert.equal(throttle.take('a', 'call'), undefined)
  })

  it('are all allowed again after two quiet minutes', () => {
    const clock = movableClock()
    const throttle = new Throttle(clock, limits)
    takes(throttle, 'a', 100)
    clock.move(120_000)
    assert.equal(takes(throttle, 'a', 150), 100)
  })

  it('cannot be doubled around the turn of a minute', () => {
    const clock = movableClock()
    const throttle = new Throttle(clock, limits)
    throttle.take('a', 'request')
    clock.move(59_000)
    takes(throttle, 'a', 99)
    clock.move(1_000)
    assert.equal(takes(throttle, 'a', 100), 0)
  })

  it('go on after exactly the wait that was told, whatever came before', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(40), fc.nat(90_000)), { maxLength: 8 }), fc.integer({ min: 1, max: 50 }), (bursts, requestsPerMinute) => {
        const clock = movableClock()
        const throttle = new Throttle(clock, { ...limits, requestsPerMinute })
        for (const [count, pause] of bursts) {
          takes(throttle, 'a', count)
          clock.move(pause)
        }
        takes(throttle, 'a', requestsPerMinute)
        assert.ok(wait(throttle, clock) <= 120)
        assert.equal(throttle.take('a', 'request'), undefined)
      }),
    )
  })

  it('are not counted where the limit is 0', () => {
    const throttle = new Throttle(movableClock(), { requestsPerMinute: 0, callsPerMinute: 0, connections: 0 })
    assert.equal(takes(throttle, 'a', 10_000), 10_000)
    assert.equal(throttle.take('a', 'call'), undefined)
    for (let each = 0; each < 100; each += 1) assert.notEqual(throttle.connect('a'), undefined)
  })

  it('of very many credentials are not all remembered', () => {
    const throttle = new Throttle(movableClock(), { ...limits, requestsPerMinute: 1 })
    throttle.take('first', 'request')
    assert.notEqual(throttle.take('first', 'request'), undefined)
    for (let each = 0; each < KEYS_REMEMBERED; each += 1) throttle.take(`key ${each}`, 'request')
    assert.equal(throttle.take('first', 'request'), undefined)
  })
})

describe('connections of one credential', () => {
  it('are ten at once, and a released one can be taken again, once', () => {
    const throttle = new Throttle(movableClock(), limits)
    const [release] = Array.from({ length: 10 }, () => throttle.connect('a'))
    assert.equal(throttle.connect('a'), undefined)
    assert.notEqual(throttle.connect('b'), undefined)
    release?.()
    release?.()
    assert.equal(throttle.connections('a'), 9)
    assert.notEqual(throttle.connect('a'), undefined)
    assert.equal(throttle.connect('a'), undefined)
  })
})
