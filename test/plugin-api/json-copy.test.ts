import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { isRpcError, jsonCopy } from '@isopod/plugin-api'

/** The message `jsonCopy` refuses the value with. */
function refusal(value: unknown): string {
  try {
    jsonCopy(value, 'clock 1.0.0: clock.now')
  } catch (thrown) {
    assert.ok(isRpcError(thrown))
    assert.equal(thrown.code, 'internal')
    return thrown.message
  }
  return assert.fail('it was let through')
}

function nested(levels: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < levels; level++) value = { in: value }
  return value
}

test('any JSON comes out equal to what a round trip through text makes of it', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
      assert.deepStrictEqual(jsonCopy(value, 'x'), JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('the copy is frozen at every level and shares nothing with the original', () => {
  const original = { list: [{ deep: 1 }] }
  const copy = jsonCopy(original, 'x') as typeof original
  assert.ok(Object.isFrozen(copy) && Object.isFrozen(copy.list) && Object.isFrozen(copy.list[0]))
  original.list[0]!.deep = 2
  assert.equal(copy.list[0]!.deep, 1)
})

test('undefined properties vanish, and nothing at all is null', () => {
  assert.deepEqual(jsonCopy({ kept: 1, gone: undefined }, 'x'), { kept: 1 })
  assert.ok(!Object.hasOwn(jsonCopy({ gone: undefined }, 'x') as object, 'gone'))
  assert.equal(jsonCopy(undefined, 'x'), null)
})

test('minus zero is zero, as JSON text would make it', () => {
  assert.ok(Object.is(jsonCopy({ at: -0 }, 'x') && (jsonCopy({ at: -0 }, 'x') as { at: number }).at, 0))
})

test('a refusal names who answered what, where, and what to do instead', () => {
  const message = refusal({ a: { b: [0, new Date(0)] } })
  assert.equal(message, 'clock 1.0.0: clock.now answered a Date at .a.b[1]; use its toISOString() instead')
})

test('an argument holds what an answer answers', () => {
  assert.throws(() => jsonCopy({ at: Number.NaN }, 'the event clock.tick of clock 1.0.0', 'held'), /clock 1\.0\.0 held NaN at \.at/)
})

class Order {
  readonly total = 1
}

const REFUSED: readonly (readonly [string, unknown, RegExp])[] = [
  ['a Map', { m: new Map() }, /a Map at \.m; use Object\.fromEntries/],
  ['a Set', new Set(), /answered a Set;/],
  ['a BigInt', [1n], /a BigInt at \[0\]/],
  ['NaN', { n: Number.NaN }, /NaN at \.n/],
  ['Infinity', { n: -Infinity }, /-Infinity at \.n/],
  ['a function', { f() {} }, /a function at \.f/],
  ['a symbol', { s: Symbol('s') }, /a symbol at \.s/],
  ['an instance of a class', { order: new Order() }, /an Order at \.order/],
  ['a promise that was not awaited', { p: Promise.resolve(1) }, /a Promise at \.p; await it first/],
  ['bytes', { b: new Uint8Array(2) }, /a Uint8Array at \.b; use base64/],
  ['an error', { e: new TypeError('x') }, /a TypeError at \.e/],
  ['a hole in a list', [1, undefined], /undefined at \[1\]/],
  ['a name that is no identifier', { 'two words': 1n }, /a BigInt at \["two words"\]/],
]

for (const [name, value, pattern] of REFUSED) {
  test(`${name} is refused by name and place`, () => assert.match(refusal(value), pattern))
}

test('a value that contains itself is refused as a cycle', () => {
  const loop: Record<string, unknown> = { a: {} }
  ;(loop['a'] as Record<string, unknown>)['back'] = loop
  assert.match(refusal(loop), /a cycle at \.a\.back; a value may not contain itself/)
})

test('sixty-four levels pass and sixty-five do not', () => {
  assert.deepEqual(jsonCopy(nested(64), 'x'), nested(64))
  assert.match(refusal(nested(65)), /nested deeper than 64 levels/)
})

test('an own __proto__ stays a property and changes no prototype', () => {
  const copy = jsonCopy(JSON.parse('{"__proto__": {"admin": true}, "b": 1}'), 'x') as Record<string, unknown>
  assert.equal(Object.getPrototypeOf(copy), Object.prototype)
  assert.equal(copy['admin'], undefined)
  assert.equal(JSON.stringify(copy), '{"__proto__":{"admin":true},"b":1}')
})

test('an object without a prototype is an object', () => {
  const bare: Record<string, unknown> = Object.create(null)
  bare['a'] = 1
  assert.deepEqual(jsonCopy(bare, 'x'), { a: 1 })
})

test('an accessor is read once and its value kept', () => {
  let reads = 0
  const copy = jsonCopy({ get a() { return ++reads } }, 'x')
  assert.deepEqual(copy, { a: 1 })
})

test('what an accessor throws is its own error', () => {
  assert.throws(() => jsonCopy({ get a() { throw new TypeError('mine') } }, 'x'), TypeError)
})
