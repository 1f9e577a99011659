import assert from 'node:assert/strict'
import { test } from 'node:test'
import { retryAfterSeconds } from '../retry-after.ts'

const NOW = Date.UTC(2026, 0, 1, 12)

const CASES: readonly [Readonly<Record<string, string>>, number | undefined][] = [
  [{ 'retry-after': '7' }, 7],
  [{ 'retry-after': '1.2' }, 2],
  [{ 'retry-after-ms': '2500', 'retry-after': '9' }, 3],
  [{ 'retry-after': 'Thu, 01 Jan 2026 12:01:30 GMT' }, 90],
  [{ 'retry-after': 'Thu, 01 Jan 2026 11:00:00 GMT' }, 0],
  [{ 'retry-after': '99999999999' }, 86_400],
  [{ 'retry-after': '-5' }, undefined],
  [{ 'retry-after': 'soon' }, undefined],
  [{}, undefined],
]

for (const [headers, seconds] of CASES) {
  test(`${JSON.stringify(headers)} asks to wait ${seconds ?? 'an unknown number of'} seconds`, () => {
    assert.equal(retryAfterSeconds(headers, NOW), seconds)
  })
}
