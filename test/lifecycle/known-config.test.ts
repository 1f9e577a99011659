import assert from 'node:assert/strict'
import { test } from 'node:test'
import { knownConfig } from '../../kernel/lifecycle/known-config.ts'

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    default: { type: 'string' },
    providers: { type: 'object', additionalProperties: { type: 'object', additionalProperties: false, properties: { api: { type: 'string' } } } },
    rules: { type: 'array', items: { type: 'object', additionalProperties: false, properties: { name: { type: 'string' } } } },
    free: { type: 'object' },
  },
}

test('a key that the schema does not know is left out, and told with the nearest name', () => {
  const given = { defualt: 'x', providers: { a: { api: 'openai', modls: [] } }, rules: [{ name: 'a', extra: 1 }], free: { anything: { goes: true } } }
  assert.deepEqual(knownConfig(given, schema, 'plugins.models.config'), {
    config: { providers: { a: { api: 'openai' } }, rules: [{ name: 'a' }], free: { anything: { goes: true } } },
    unknown: [
      'plugins.models.config.defualt is not known and does nothing: did you mean default?',
      'plugins.models.config.providers.a.modls is not known and does nothing',
      'plugins.models.config.rules[0].extra is not known and does nothing',
    ],
  })
})

test('a wrong value stays, for the schema to refuse', () => {
  assert.deepEqual(knownConfig({ default: 7, providers: [] }, schema, 'x').config, { default: 7, providers: [] })
})

test('a plugin without a schema gets all of its config', () => {
  assert.deepEqual(knownConfig({ a: { b: 1 } }, undefined, 'x'), { config: { a: { b: 1 } }, unknown: [] })
})
