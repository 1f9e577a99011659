import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verdictOf, type Point } from './verdict.ts'

const MIB = 1024 * 1024
const TEN_MINUTES = 600

/** A point each second. */
const series = (seconds: number, bytes: (at: number) => number): Point[] => Array.from({ length: seconds }, (_, at) => ({ atSeconds: at, bytes: bytes(at) }))
/** What garbage looks like: it gathers for a while and is collected at once. */
const garbage = (at: number) => (at % 17) * MIB
const warmingUp = (at: number) => 120 * MIB - 50 * MIB * Math.exp(-at / 30)

test('memory that gathers garbage and gives it back is flat', () => {
  const { isFlat, growth } = verdictOf(series(TEN_MINUTES, (at) => warmingUp(at) + garbage(at)))
  assert.equal(isFlat, true)
  assert.ok(growth > 0.95 && growth < 1.05, String(growth))
})

test('memory that leaks 2 MB a minute is not flat, whatever garbage lies over it', () => {
  const { isFlat, slope, slopeAllowed } = verdictOf(series(TEN_MINUTES, (at) => warmingUp(at) + garbage(at) + (2 * MIB * at) / 60))
  assert.equal(isFlat, false)
  assert.ok(slope > slopeAllowed)
  assert.ok(Math.abs(slope / (120 * MIB) - 1) < 0.2, `${slope / MIB} MB an hour`)
})

test('memory that leaks 20 MB a minute is not flat after two minutes', () => {
  assert.equal(verdictOf(series(120, (at) => warmingUp(at) + garbage(at) + (20 * MIB * at) / 60)).isFlat, false)
})

test('one step that is never taken back is not flat, though there is no slope after it', () => {
  const { isFlat, slope, growth, growthAllowed } = verdictOf(series(TEN_MINUTES, (at) => (at < 295 ? 100 : 130) * MIB + garbage(at)))
  assert.equal(isFlat, false)
  assert.ok(slope < MIB)
  assert.ok(growth > growthAllowed)
})

test('a few seconds in which everything is different change nothing', () => {
  const plain = verdictOf(series(TEN_MINUTES, () => 100 * MIB))
  const disturbed = verdictOf(series(TEN_MINUTES, (at) => (at % 100 < 5 ? 400 : 100) * MIB))
  assert.deepEqual(disturbed, plain)
  assert.deepEqual([plain.isFlat, plain.slope, plain.growth], [true, 0, 1])
})

test('memory that shrinks is flat', () => {
  assert.equal(verdictOf(series(TEN_MINUTES, (at) => (200 - at / 10) * MIB)).isFlat, true)
})

test('of nothing, nothing is said to be flat', () => {
  assert.equal(verdictOf([]).isFlat, false)
  assert.equal(verdictOf(series(1, () => MIB)).isFlat, false)
})
