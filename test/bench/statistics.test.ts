import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { median, percentile, ratio, summary } from './statistics.ts'

const HUNDRED = Array.from({ length: 100 }, (_, at) => 100 - at)

describe('the statistics of the bench', () => {
  it('a percentile is the least sample that the share does not exceed', () => {
    assert.equal(percentile(HUNDRED, 0.5), 50)
    assert.equal(percentile(HUNDRED, 0.99), 99)
    assert.equal(percentile(HUNDRED, 1), 100)
    assert.equal(percentile(HUNDRED, 0), 1)
  })

  it('a percentile of few samples is one of them', () => {
    assert.equal(percentile([7], 0.99), 7)
    assert.equal(percentile([9, 1, 5], 0.5), 5)
    assert.equal(percentile([9, 1, 5], 0.99), 9)
  })

  it('numbers are ordered as numbers', () => {
    assert.equal(percentile([10, 9, 100], 0.5), 10)
    assert.equal(median([10, 9, 100]), 10)
  })

  it('the middle of an even number of samples is the mean of two', () => {
    assert.equal(median([4, 1, 3, 2]), 2.5)
    assert.equal(median([1, 2, 9]), 2)
  })

  it('a summary leaves its samples as they were', () => {
    const samples = [3, 1, 2]
    assert.deepEqual(summary(samples), { count: 3, min: 1, p50: 2, p99: 3, max: 3 })
    assert.deepEqual(samples, [3, 1, 2])
  })

  it('a ratio says how many times the reference a figure is', () => {
    assert.equal(ratio(45, 90), 0.5)
    assert.equal(ratio(3, 2), 1.5)
  })

  it('where there is nothing to tell, it is not told as zero', () => {
    assert.ok(Number.isNaN(percentile([], 0.5)))
    assert.ok(Number.isNaN(median([])))
    assert.ok(Number.isNaN(summary([]).p99))
    assert.ok(Number.isNaN(ratio(1, 0)))
  })
})
