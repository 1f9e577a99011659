import type { Gateway } from '@isopod/plugin-api'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check, complaints } from '../../kernel/validators.ts'
import { House } from './house.ts'

/** A schema that says how often it was read to be compiled. */
function counted() {
  const reads = { count: 0 }
  const schema = Object.defineProperty({ type: 'object' }, 'properties', { enumerable: true, get: () => { reads.count += 1; return { n: { type: 'number' } } } })
  return { schema, reads }
}

test('a schema is compiled at its first use, and the next generation compiles it no more', async () => {
  const house = new House()
  const { schema, reads } = counted()
  const kept = { id: 'kept', register: (gateway: Gateway) => gateway.hooks.methods.tap('m', (into) => into.add({ name: 'a.n', scope: 'read', params: schema, handle: () => 1 })) }
  await house.want(kept)
  assert.equal(reads.count, 0)
  await house.client().call('a.n', { n: 1 })
  const compiled = reads.count
  assert.ok(compiled > 0)
  await house.want(kept, { id: 'newcomer' })
  await house.client().call('a.n', { n: 2 })
  assert.equal((await house.client().refusal('a.n', { n: 'x' })).param, 'n')
  assert.equal(reads.count, compiled)
})

test('two schemas may have the same $id, as two versions of a plugin do', () => {
  const of = (type: string) => ({ $id: 'https://example.com/thing', type })
  assert.equal(check(of('string'), 'x'), undefined)
  assert.equal(check(of('number'), 1), undefined)
})

test('a schema that is none says so each time it is used', () => {
  const schema = { type: 'objekt' }
  assert.throws(() => check(schema, {}))
  assert.throws(() => check(schema, {}))
})

test('no schema and true let everything through, false nothing', () => {
  assert.deepEqual([check(undefined, 1), check(true, 1), check(false, 1)?.code], [undefined, undefined, 'invalid_request'])
})

test('complaints tell everything that is wrong, not the first of it', () => {
  const schema = { type: 'object', required: ['id', 'api'], additionalProperties: false, properties: { id: { type: 'string' }, api: { type: 'string' } } }
  assert.deepEqual(complaints(schema, { id: 1, extra: true }), ['api: is required', 'extra: is not known here', 'id: must be string'])
})

test('a field in a list is named by its place, one with a slash by its own name', () => {
  const schema = { type: 'array', items: { type: 'object', properties: { 'a/b~c': { type: 'string' } } } }
  assert.equal(check(schema, [{}, { 'a/b~c': 1 }])?.param, '[1].a/b~c')
})
