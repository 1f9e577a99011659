/**
 * Manifests thrown at the catalog: `package.json` of a plugin that the owner's config names, right and bent. The plugin comes, or
 * fails with a sentence that its owner can act on; whatever it says, every other plugin stays.
 */
import fc from 'fast-check'
import { MANIFEST_SCHEMA, type Json } from '@isopod/plugin-api'
import { fromSchema } from './from-schema.ts'
import { bent, jsonText, oddJson, oddText } from './odd-json.ts'
import { property, type Opening, type Subject } from './property.ts'
import { Workshop, type Asked } from './workshop.ts'

export const manifests: Opening = { noun: 'manifests', open }

async function open(): Promise<Subject> {
  const workshop = new Workshop()
  const held = property({ name: 'package', runs: 60, cases: packages, holds: (one: Asked) => workshop.make(one) })
  return { properties: [held], residentBytes: async () => process.memoryUsage.rss(), close: () => workshop.close() }
}

/** Schemas of a config, with words that compilers of schemas treat in ways of their own. */
const configSchema: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(
    { type: 'object', properties: { a: { type: 'integer' } } },
    { type: 'object', properties: { a: { type: 'string', secret: true } } },
    { type: 'object', additionalProperties: { $ref: '#' } },
    { $ref: '#' },
    { $ref: 'https://127.0.0.1:9/none.json' },
    { $async: true, type: 'string' },
    { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object' },
    { $id: 'https://127.0.0.1:9/a', type: 'object' },
    { type: 'object', default: { a: 1 }, unknownWord: true },
    { type: 'object', properties: { a: { format: 'email' } } },
    { type: 'object', patternProperties: { '(': {} } },
    { type: 'whatever' },
    { allOf: 3 },
  ),
  fc.record({ type: fc.constantFrom('object', 'array', 'nothing'), properties: oddJson, required: oddJson, additionalProperties: oddJson, $defs: oddJson }, { requiredKeys: [] }),
)

const versions = fc.oneof(fc.constantFrom('1.0.0', '^1.0.0', '*', '>=0 <2 || 3', '1', 'x', 'latest', '>'.repeat(300), '1.0.0-beta.1+a'), oddText)
const ids = fc.oneof({ weight: 8, arbitrary: fc.constant('mine') }, { weight: 1, arbitrary: fc.constantFrom('kernel', 'chat', '../mine', '__proto__') }, { weight: 1, arbitrary: oddText })

const isopod = fromSchema(MANIFEST_SCHEMA, {
  id: ids,
  api: fc.oneof({ weight: 4, arbitrary: fc.constant('^1.0.0') }, { weight: 1, arbitrary: versions }),
  needs: fc.dictionary(fc.constantFrom('chat', 'models', 'nobody', 'mine', 'constructor'), versions, { maxKeys: 2 }) as fc.Arbitrary<Json>,
  config: configSchema,
})

const wholePackage: fc.Arbitrary<Json> = fc.record({
  name: oddText,
  version: fc.oneof({ weight: 4, arbitrary: fc.constantFrom('1.0.0', '2.0.0') }, { weight: 1, arbitrary: versions }),
  description: oddText,
  main: fc.constantFrom('./index.js', './none.js', '..', ''),
  exports: fc.oneof({ weight: 4, arbitrary: fc.constant<Json>('./index.js') }, { weight: 1, arbitrary: fc.constantFrom<Json>({ '.': { import: './index.js' } }, { '.': [] }, { default: { default: {} } }, null, 5) }),
  type: fc.constant('module'),
  isopod,
}, { requiredKeys: ['version', 'type', 'isopod'] })

const packages: fc.Arbitrary<Asked> = fc.record({
  kind: fc.constant('manifest' as const),
  text: fc.oneof({ weight: 12, arbitrary: jsonText(bent(wholePackage)) }, { weight: 1, arbitrary: jsonText(oddJson) }).map((text) => Buffer.from(text).toString('latin1')),
  trust: fc.constantFrom('full', 'sandboxed'),
})
