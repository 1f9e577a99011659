/**
 * Config files thrown at a gateway that runs: what the schema allows and what bends it, in three notations, with what YAML and the
 * environment make possible. A file comes into force or is told what is wrong with it; the gateway answers on, tells no secret,
 * and takes the next good file.
 */
import fc from 'fast-check'
import type { Json } from '@isopod/plugin-api'
import { yamlDocument } from '../../kernel/config/document.ts'
import { configSchema } from '../../kernel/config/schema.ts'
import { fromSchema } from './from-schema.ts'
import { bent, oddJson, oddText, scratched } from './odd-json.ts'
import { property, type Opening, type Subject } from './property.ts'
import { Workshop, type Asked } from './workshop.ts'

export const configs: Opening = { noun: 'configs', open }

async function open(): Promise<Subject> {
  const workshop = new Workshop()
  const held = property({ name: 'file', runs: 60, cases: files, holds: (one: Asked) => workshop.make(one) })
  return { properties: [held], residentBytes: async () => process.memoryUsage.rss(), close: () => workshop.close() }
}

const reference = fc.constantFrom(
  '${FUZZ_SECRET}', '${FUZZ_EMPTY}', '${FUZZ_UNSET}', '${FUZZ_UNSET:-5}', '${FUZZ_PORT}', '${FUZZ_LINES}', '${FUZZ_REFERENCE}', '${FUZZ_LONG}', 'a${FUZZ_SECRET}b', '$${FUZZ_SECRET}', '${', '${}', '${FUZZ-SECRET}', '${${FUZZ_SECRET}}', '${__proto__}', '${FUZZ_UNSET:-${FUZZ_SECRET}}', '${FUZZ_UNSET:-}',
)

/** Nothing that is fuzzed reaches a network, or a folder that is anybody's. */
const plain = fromSchema(configSchema, {
  baseUrl: fc.constantFrom('http://127.0.0.1:9/v1', 'ftp://a', '', '${FUZZ_SECRET}'),
  from: fc.constantFrom('./none', '.', '..', '/', 'npm-package', '\0'),
  token: reference,
  password: reference,
  apiKey: fc.oneof(reference, fc.constant<Json>({ secret: 'a' })),
})
const tree = bent(fc.tuple(plain, fc.array(fc.tuple(fc.constantFrom('port', 'bind', 'token', 'default', 'system', 'path', 'level'), reference), { maxLength: 2 })).map(([value, all]) => all.reduce<Json>((made, [key, text]) => placed(made, key, text), value)))

/** The text in every field of that name. */
function placed(value: Json, key: string, text: string): Json {
  if (Array.isArray(value)) return value.map((item: Json) => placed(item, key, text))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, name === key ? text : placed(inner ?? null, key, text)]))
}

const SNIPPETS = [
  'a: &a [x]\nb: *a\n', '<<: *none\n', '<<: {gateway: {port: 1}}\n', '&a a: *a\n', '!!binary aGk=: 1\n', '!include x\n', '? [a, b]\n: c\n', 'gateway: &g {hosts: [*g]}\n', '- a\n', '---\na: 1\n---\n', '%YAML 9.9\n', '\tgateway:\n', '#\n', '\ufeff', '\0', '"', '|\n  text\n', '2026-01-01: 1\n', '.inf: .nan\n', '0x10: 0o7\n', '__proto__: {port: 1}\n', 'constructor: {}\n', 'gateway:\n', '{"gateway":{"port":1},}', '/* c */', "{unquoted: 'a', +1: .5, \\u0061: Infinity}",
] as const

/** Nine lines that unfold into gigabytes, what is as deep as it is long, and what is too long. */
const BOMBS = [
  ['a: &a [x, x, x, x, x, x, x, x, x]', ...Array.from({ length: 9 }, (_, level) => `${String.fromCharCode(98 + level)}: &${String.fromCharCode(98 + level)} [${Array.from({ length: 9 }, () => `*${String.fromCharCode(97 + level)}`).join(', ')}]`)].join('\n'),
  `gateway: ${'{a: '.repeat(2_000)}1${'}'.repeat(2_000)}`, '['.repeat(50_000), 'a:\n '.repeat(500), `gateway: ${'['.repeat(3_000)}`, `log: {level: ${'x'.repeat(1_100_000)}}`, '- '.repeat(5_000), '? '.repeat(3_000), '{"a":'.repeat(20_000), `a: "${'\\u0041'.repeat(20_000)}"`, 'a: &a\n'.repeat(300),
] as const

const written: fc.Arbitrary<{ readonly name: string; readonly text: string }> = fc.oneof(
  fc.tuple(fc.constantFrom('gateway.yaml', 'gateway.yml', 'config.yml'), tree).map(([name, value]) => ({ name, text: blockStyle(value) })),
  fc.tuple(fc.constantFrom('gateway.json', 'gateway.json5', 'gateway.yaml'), tree, fc.nat({ max: 2 })).map(([name, value, indent]) => ({ name, text: JSON.stringify(value, undefined, indent) })),
)

/** As a person writes YAML: indented, a line for each key. */
function blockStyle(value: Json): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return JSON.stringify(value)
  const document = yamlDocument('')
  for (const [key, inner] of Object.entries(value)) document.set(key, inner)
  return document.toString()
}

const name = fc.constantFrom('gateway.yaml', 'gateway.json', 'gateway.json5')
const files: fc.Arbitrary<Asked> = fc
  .oneof(
    { weight: 12, arbitrary: written.chain(({ name: file, text }) => scratched(fc.constant(text)).map((scratchedText) => ({ name: file, text: scratchedText }))) },
    { weight: 4, arbitrary: fc.tuple(written, fc.constantFrom(...SNIPPETS), fc.boolean()).map(([{ name: file, text }, snippet, first]) => ({ name: file, text: first ? snippet + text : `${text}\n${snippet}` })) },
    { weight: 1, arbitrary: fc.record({ name, text: fc.constantFrom(...BOMBS) }) },
    { weight: 1, arbitrary: fc.record({ name, text: fc.oneof(oddText, oddJson.map((value) => JSON.stringify(value))) }) },
  )
  .chain(({ name: file, text }) => fc.record({
    kind: fc.constant('config' as const),
    name: fc.constant(file),
    // A character for each byte; some are no UTF-8.
    text: fc.oneof({ weight: 15, arbitrary: fc.constant(Buffer.from(text).toString('latin1')) }, { weight: 1, arbitrary: fc.constant(`${text.slice(0, 40)}\xff\xc3`) }),
  }))
