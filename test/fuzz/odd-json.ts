/**
 * JSON that somebody means badly: values that are legal and that code seldom expects, changes of a value that was right, and
 * texts that are nearly JSON. What a value is for is not known here.
 */
import fc from 'fast-check'
import type { Json } from '@isopod/plugin-api'

/** Words that mean something to somebody here, so that chance goes deeper than the first check. */
const WORDS = [
  'a', 'fuzz-a', 'fuzz-b', 'hook:a', 'default', 'isopod', 'isopod/offline', 'openclaw', 'agent:default', 'gpt-4', 'user', 'text', 'chat.delta', 'chat.run', 'system.ping', 'live', 'ready',
  '2 ^ 10', '((((1', '1/0', 'UTC', 'Europe/Berlin', 'data:image/png;base64,AAAA', 'https://127.0.0.1:9/a.png', '/call calculator {"expression":"1+1"}', '/call', '/slow x', '/fail x',
]
/** Names that are something else to JavaScript, and texts that are something else to other programs. */
const TRAPS = [
  '', ' ', '\0', '\u2028', '\ud800', '\udc00\ud800', '\ufeff', '\u202e', '__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'then', 'length', 'null', 'NaN', '-0', '1e999', '../../etc/passwd',
  '%', '%00', '%ff', '${HOME}', '$&', '{{a}}', "'; --", 'a'.repeat(257), 'é'.repeat(600), '👩‍👩‍👧‍👦', 'x'.repeat(20_000),
]

export const oddText: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...WORDS) },
  { weight: 2, arbitrary: fc.constantFrom(...TRAPS) },
  { weight: 2, arbitrary: fc.string({ maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
)

const oddNumber: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(0, 1, -1, 0.5, 1e21, -1e21, 1e308, 5e-324, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 65_536),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)

const oddLeaf: fc.Arbitrary<Json> = fc.oneof(fc.constantFrom<Json>(null, true, false, [], {}), oddNumber, oddText)

const shape = fc.letrec<{ value: Json; list: Json; object: Json }>((tie) => ({
  value: fc.oneof({ depthSize: 'small', withCrossShrink: true }, oddLeaf, tie('list'), tie('object')),
  list: fc.array(tie('value'), { maxLength: 4 }),
  object: fc.array(fc.tuple(oddText, tie('value')), { maxLength: 4 }).map(withKeys),
}))

/** Far deeper or wider than anything that is meant, on both sides of the bound of depth. */
const extreme: fc.Arbitrary<Json> = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 200 }), fc.boolean()).map(([depth, asList]) => nested(depth, asList)),
  fc.integer({ min: 100, max: 3_000 }).map((width) => Array.from({ length: width }, (_, index) => index)),
  fc.integer({ min: 100, max: 1_000 }).map((width) => withKeys(Array.from({ length: width }, (_, index): [string, Json] => [`k${index}`, index]))),
)

export const oddJson: fc.Arbitrary<Json> = fc.oneof({ weight: 12, arbitrary: shape.value }, { weight: 1, arbitrary: extreme })
export const oddObject: fc.Arbitrary<Json> = shape.object

/** An object that owns each of these keys, `__proto__` too. */
export function withKeys(entries: readonly (readonly [string, Json])[]): Json {
  const made = {}
  for (const [key, value] of entries) Object.defineProperty(made, key, { value, enumerable: true, configurable: true, writable: true })
  return made
}

function nested(depth: number, asList: boolean): Json {
  let made: Json = 1
  for (let level = 0; level < depth; level++) made = asList ? [made] : { a: made }
  return made
}

/** A change somewhere in a value: `where` chooses the place among all there are. */
interface Change {
  readonly where: number
  readonly how: 'replace' | 'remove' | 'add' | 'rename' | 'double'
  readonly key: string
  readonly value: Json
}

const change: fc.Arbitrary<Change> = fc.record({
  where: fc.nat({ max: 10_000 }),
  how: fc.constantFrom('replace', 'remove', 'add', 'rename', 'double'),
  key: oddText,
  value: oddJson,
})

/** Values that were right, left so in two of five, else changed in one to three places. */
export function bent(values: fc.Arbitrary<Json>): fc.Arbitrary<Json> {
  const changes = fc.oneof({ weight: 2, arbitrary: fc.constant<Change[]>([]) }, { weight: 3, arbitrary: fc.array(change, { minLength: 1, maxLength: 3 }) })
  return fc.tuple(values, changes).map(([value, all]) => all.reduce<Json>((bending, one) => changed(bending, one, { left: one.where % sizeOf(bending) }), value))
}

function sizeOf(value: Json): number {
  return typeof value === 'object' && value !== null ? Object.values(value).reduce<number>((size, inner) => size + sizeOf(inner ?? null), 1) : 1
}

function changed(value: Json, one: Change, count: { left: number }): Json {
  if (count.left < 0) return value
  if (count.left-- === 0) return changedHere(value, one)
  if (Array.isArray(value)) return value.map((item: Json) => changed(item, one, count))
  if (typeof value !== 'object' || value === null) return value
  return withKeys(Object.entries(value).map(([key, inner]) => [key, changed(inner ?? null, one, count)] as const))
}

function changedHere(value: Json, { how, key, value: other, where }: Change): Json {
  if (how === 'replace' || typeof value !== 'object' || value === null) return how === 'double' && typeof value === 'string' ? value + value : other
  const entries: readonly (readonly [string, Json])[] = Object.entries(value).map(([name, inner]) => [name, inner ?? null])
  const at = where % Math.max(1, entries.length)
  const bentEntries: Readonly<Record<Exclude<Change['how'], 'replace'>, () => readonly (readonly [string, Json])[]>> = {
    remove: () => entries.filter((_, index) => index !== at),
    add: () => [...entries, [key, other]],
    rename: () => entries.map(([name, inner], index) => [index === at ? key : name, inner]),
    double: () => [...entries, ...entries.map(([name, inner]) => [Array.isArray(value) ? name : `${name}${name}`, inner] as const)],
  }
  const made = bentEntries[how]()
  return Array.isArray(value) ? made.map(([, inner]) => inner) : withKeys(made)
}

/** A change of a text, wherever: cut, something put in, a piece said twice. */
const scratch = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), take: fc.nat({ max: 12 }), put: fc.oneof(fc.constantFrom('"', '{', '}', '[', ']', ',', ':', '\\', '\\u', '\0', '\n', '1e999', '-', '/*', 'null', '\ufeff', '\ud800'), oddText) })

/** Texts, left as they are in four of five. */
export function scratched(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(texts, fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(scratch, { minLength: 1, maxLength: 3 }) })).map(([text, all]) =>
    all.reduce((scratching, { at, take, put }) => {
      const from = Math.floor(at * scratching.length)
      return scratching.slice(0, from) + put + scratching.slice(from + take)
    }, text),
  )
}

/** The JSON text of values, and what looks like one. */
export function jsonText(values: fc.Arbitrary<Json>): fc.Arbitrary<string> {
  return scratched(values.map((value) => JSON.stringify(value)))
}
