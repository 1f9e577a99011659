import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Json, Store, Write } from '@isopod/plugin-api'
import { openMemoryStore } from '../../kernel/store/memory.ts'
import { handClock, open, outcome } from './place.ts'

const name = fc.constantFrom('a', 'a/b', 'b', 'é', '\uff5e', '\u{1f990}', 'a%', 'a_', '\u007f')
const ifVersion = fc.option(fc.record({ ifVersion: fc.integer({ min: 0, max: 3 }) }), { nil: {}, freq: 3 })
/** JSON has no negative zero, so the text that is stored has none. */
const value = fc.jsonValue({ maxDepth: 3 }).map((made) => JSON.parse(JSON.stringify(made)) as Json)
const step: fc.Arbitrary<Write> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(name, name, value, ifVersion).map(([put, key, value, at]): Write => ({ put, key, value, ...at })) },
  { weight: 2, arbitrary: fc.tuple(name, name, ifVersion).map(([remove, key, at]): Write => ({ remove, key, ...at })) },
  { weight: 4, arbitrary: fc.record({ append: name, value }) },
  { weight: 1, arbitrary: fc.record({ drop: name }) },
)
const page = { limit: fc.integer({ min: 1, max: 5 }) }
const question = fc.oneof(
  fc.tuple(name, name).map(([collection, key]) => (store: Store): Promise<unknown> => store.get(collection, key)),
  fc.tuple(name, fc.record({ ...page, prefix: name, after: name }, { requiredKeys: [] }))
    .map(([collection, query]) => (store: Store): Promise<unknown> => store.list(collection, query)),
  fc.tuple(name, fc.record({ ...page, after: fc.nat(6), before: fc.nat(6), newest: fc.boolean() }, { requiredKeys: [] }))
    .map(([stream, query]) => (store: Store): Promise<unknown> => store.read(stream, query)),
)
const call = fc.oneof(
  fc.array(step, { minLength: 1, maxLength: 6 }).map((writes) => (store: Store): Promise<unknown> => store.write(writes)),
  question,
)

test('whatever is asked, at once and in a row, the embedded store answers like the one in memory', async (t) => {
  const { driver } = await open(t)
  let run = 0
  const namespaces = fc.array(fc.tuple(fc.constantFrom('x', 'y'), call), { minLength: 1, maxLength: 30 })
  await fc.assert(fc.asyncProperty(namespaces, async (calls) => {
    const model = openMemoryStore({ clock: handClock() })
    const prefix = `run-${++run}`
    const real = calls.map(([namespace, ask]) => outcome(ask(driver.namespace(prefix + namespace))))
    const wanted = calls.map(([namespace, ask]) => outcome(ask(model.namespace(prefix + namespace))))
    assert.deepEqual(await Promise.all(real), await Promise.all(wanted))
  }), { numRuns: 300, endOnFailure: true })
})
