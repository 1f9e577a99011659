import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { checkConfig } from '../../kernel/config/check.ts'
import { configSchema } from '../../kernel/config/schema.ts'
import type { Config } from '../../kernel/config/schema.ts'
import { isTree } from '../../kernel/config/path.ts'
import type { Schema } from '../../kernel/config/path.ts'

/** Every part of the schema that describes a field, with its place. */
function* fields(schema: Schema, at: string): Generator<[at: string, field: Schema, required: boolean]> {
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  for (const [name, field] of Object.entries(isTree(schema['properties']) ? schema['properties'] : {})) {
    if (!isTree(field)) continue
    yield [`${at}.${name}`, field, required.includes(name)]
    yield* fields(field, `${at}.${name}`)
  }
  for (const inner of [schema['additionalProperties'], schema['items']]) if (isTree(inner)) yield* fields(inner, `${at}.*`)
}

test('the schema is a JSON Schema of 2020-12 and its defaults satisfy it', () => {
  const ajv = new Ajv2020({ strict: true, strictRequired: false, formats: { bind: true } })
  ajv.addVocabulary(['secret', 'accepts'])
  assert.equal(ajv.validateSchema(configSchema), true)
  assert.equal(ajv.validate(configSchema, checkConfig({}).config), true)
})

test('a field with a default is required, so that its type says it is always there', () => {
  for (const [at, field, required] of fields(configSchema, '')) {
    if (field['default'] !== undefined && !at.endsWith('models.default')) assert.ok(required, at)
  }
})

test('every section and every setting of the gateway is described', () => {
  for (const [at, field] of fields(configSchema, '')) {
    if (/^\.[^.]+$|^\.gateway\./.test(at)) assert.equal(typeof field['description'], 'string', at)
  }
})

test('every field whose name says that it is secret is marked as secret', () => {
  for (const [at, field] of fields(configSchema, '')) {
    if (/(token|password|apiKey|secret)$/i.test(at)) assert.equal(field['secret'], true, at)
  }
})

test('defaults are the same whoever asked first', () => {
  const first = checkConfig({}).config
  const second = checkConfig({}).config
  assert.notEqual(first?.gateway, second?.gateway)
  assert.deepEqual(first, second)
})

test('the type of the config is the type of what the check lets through', () => {
  const { config } = checkConfig({ models: { providers: { a: { api: 'openai' } } }, agents: { a: { fallbacks: ['x/y'] } } })
  // These lines are checked by the compiler: they fail to build when schema and type part ways.
  const port: number | undefined = config?.gateway.port
  const transport: 'auto' | 'uws' | 'ws' | undefined = config?.gateway.transport
  const api: string | undefined = config?.models.providers['a']?.api
  const fallbacks: readonly string[] | undefined = config?.agents['a']?.fallbacks
  const file: Config['log']['file'] = config?.log.file
  assert.deepEqual([port, transport, api, fallbacks, file], [18_789, 'auto', 'openai', ['x/y'], undefined])
})
