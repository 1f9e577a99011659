import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JSON_DEPTH } from '@isopod/plugin-api'
import { parseJson } from '../../kernel/json-input.ts'

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

test('what is parsed is frozen all through', () => {
  const value = parseJson('{"a":[{"b":1}]}') as { a: { b: number }[] }
  assert.ok(Object.isFrozen(value) && Object.isFrozen(value.a) && Object.isFrozen(value.a[0]))
})

test('what is no JSON is refused in words', () => {
  assert.throws(() => parseJson('{"a":'), { code: 'invalid_request', message: /^This is not JSON: / })
})

test('JSON as deep as the bound passes, one level more is refused, and so is far more', () => {
  assert.ok(parseJson(nested(JSON_DEPTH)))
  assert.throws(() => parseJson(nested(JSON_DEPTH + 1)), { code: 'invalid_request' })
  assert.throws(() => parseJson(nested(1_000_000)), { code: 'invalid_request' })
})

test('a field named __proto__ is a field and nothing else', () => {
  const value = parseJson('{"__proto__":{"admin":true}}') as Record<string, unknown>
  assert.equal(value['admin'], undefined)
  assert.ok(Object.hasOwn(value, '__proto__'))
})
