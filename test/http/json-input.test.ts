/** The bound on nesting is the same for short texts, which are parsed first, and for long ones, which are looked at first. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseJson } from '../../kernel/json-input.ts'

const LONG = `"${'x'.repeat(70_000)}"`

function nested(levels: number, inside: string): string {
  return `${'['.repeat(levels)}${inside}${']'.repeat(levels)}`
}

describe('JSON from outside', () => {
  it('may be 64 levels deep and no deeper, however long it is', () => {
    for (const inside of ['1', LONG]) {
      assert.ok(Array.isArray(parseJson(nested(64, inside))))
      assert.throws(() => parseJson(nested(65, inside)), /nested deeper than 64/)
    }
  })

  it('is not deeper for the brackets in its texts', () => {
    const texts = ['['.repeat(100), '{"'.repeat(100), '\\', '\\"[', '"]}', '\\\\']
    const value = { texts, long: 'x'.repeat(70_000), [`{${'['.repeat(100)}`]: 1 }
    assert.deepEqual(parseJson(JSON.stringify(value)), value)
  })

  it('is what JSON.parse makes of it, frozen, or refused where that fails', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json({ maxDepth: 5 }), fc.string()), fc.boolean(), (text, isLong) => {
        const whole = isLong ? `[${LONG},${text}]` : text
        let expected: unknown
        try {
          expected = JSON.parse(whole)
        } catch {
          assert.throws(() => parseJson(whole), { code: 'invalid_request' })
          return
        }
        const value = parseJson(whole)
        assert.deepEqual(value, expected)
        assert.ok(Object.isFrozen(value))
      }),
    )
  })
})
