import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { judgedBy, throughput } from './throughput.ts'
import { isContested, tally, type Tally } from './turns.ts'

/** A second of a server that used its core whole, while the client had half of another. */
function load(count: number, { serverCpu = 1, clientCpu = 0.5, otherCores = 0 } = {}): Tally {
  return tally([{ count, failures: 0, seconds: 1, clientCpu, serverCpu, otherCores, latencies: [], firsts: [] }])
}

const FREE = { otherCores: 0 }
const HELD = { otherCores: 64 }

describe('a budget of so many a second', () => {
  it('is judged by the rate where the cores were free', () => {
    assert.partialDeepStrictEqual(judgedBy(load(50, FREE), load(100, FREE)), { measure: 'rate' })
  })

  it('is judged by processor time where other programs held the cores of either, and says how many', () => {
    for (const [gateway, raw] of [[HELD, FREE], [FREE, HELD]]) {
      assert.deepEqual(judgedBy(load(50, gateway), load(100, raw)), { measure: 'processor time', why: 'other programs held 64.0 cores' })
    }
  })

  it('is judged by processor time where the client limits the reference', () => {
    assert.partialDeepStrictEqual(judgedBy(load(50), load(100, { clientCpu: 0.95 })), { measure: 'processor time' })
  })

  it('is judged by the rate where no processor time is told', () => {
    assert.partialDeepStrictEqual(judgedBy(load(50), load(100, { serverCpu: NaN, otherCores: NaN })), { measure: 'rate' })
  })

  it('tells both shares, and which of them was judged', () => {
    const parts = { section: 'S', name: 'n', others: {}, least: 0.6, raw: load(100, HELD) }
    const [judged, told] = throughput({ ...parts, gateway: load(70, { serverCpu: 1.4 }) })
    assert.deepEqual(judged?.verdict, { budget: '>= 60 % of raw uWS by processor time', met: false })
    assert.deepEqual(told?.remarks, ['70 % of raw uWS by rate, 50 % by processor time; judged by processor time: other programs held 64.0 cores'])
  })
})

describe('cores', () => {
  it('are held by others where less than two of them are free', () => {
    assert.deepEqual([0.2, 0.3].map((otherCores) => isContested(load(1, { otherCores }), 2)), [false, true])
    assert.deepEqual([2.2, 2.3].map((otherCores) => isContested(load(1, { otherCores }), 4)), [false, true])
  })
})
