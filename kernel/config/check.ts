/**
 * Whether a config says what a config may say. Every mistake is told in a sentence that names the field and what it
 * accepts; an unknown key is a warning with the nearest known name, since a misspelt key must not keep a gateway down.
 * It fills in the defaults on the way. It does not know where the values come from.
 */
import { distance } from 'fastest-levenshtein'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { ErrorObject, ValidateFunction } from 'ajv/dist/2020.js'
import { hostsOf } from '../auth/bind.ts'
import { isTree, knownKeys, pathOfPointer, schemaAt, showPath, valueAt } from './path.ts'
import type { Path, Schema, Tree } from './path.ts'
import type { Problem } from './problem.ts'
import { configSchema } from './schema.ts'
import type { Config } from './schema.ts'
import { brokenRules } from './rules.ts'

export type Finding = Problem & { readonly at: Path }

export interface Checked {
  /** Absent where there is an error. Not frozen yet. */
  readonly config?: Config
  readonly findings: readonly Finding[]
}

/**
 * Checks a tree and fills its defaults in. Changes `tree`: hand it a copy. `mayShow` says whether a wrong value may be
 * repeated in the message; where it came out of the environment it may be anything.
 */
export function checkConfig(tree: Tree, mayShow: (at: Path) => boolean = () => true): Checked {
  const findings: Finding[] = []
  if (validator()(tree)) return settled(tree, findings)
  const errors = validator().errors ?? []
  for (const group of byPlace(errors.filter((error) => !insideChoice(error, errors)))) findings.push(...findingsOf(group, tree, mayShow))
  return findings.some(({ severity }) => severity === 'error') ? { findings } : settled(tree, findings)
}

function settled(tree: Tree, findings: Finding[]): Checked {
  const config = tree as unknown as Config // the schema has said yes; the type is derived from that schema
  const all = [...findings, ...brokenRules(config).map(({ at, message }) => errorAt(at, message))]
  return all.some(({ severity }) => severity === 'error') ? { findings: all } : { config, findings: all }
}

/**
 * Compiling is most of what reading a config takes at start-up: 16 ms instead of 45 when the schema, which is ours and
 * has a test, is not itself checked against the schema of schemas, and code that runs a few times is not optimised.
 */
const ONCE_AT_START = { validateSchema: false, meta: false, code: { optimize: false } } as const

let compiled: ValidateFunction | undefined

function validator(): ValidateFunction {
  if (compiled) return compiled
  const ajv = new Ajv2020({ allErrors: true, useDefaults: true, strict: true, strictRequired: false, ...ONCE_AT_START })
  ajv.addVocabulary(['secret', 'accepts'])
  ajv.addFormat('bind', isBind)
  return (compiled = ajv.compile(configSchema))
}

function isBind(text: string): boolean {
  try {
    return hostsOf(text).length > 0
  } catch {
    return false
  }
}

/** Where a value fits none of several choices, one sentence about the choice says more than one about each. */
function insideChoice(error: ErrorObject, errors: readonly ErrorObject[]): boolean {
  return errors.some((other) => other !== error && other.keyword === 'anyOf' && error.schemaPath.startsWith(`${other.schemaPath}/`))
}

function byPlace(errors: readonly ErrorObject[]): ErrorObject[][] {
  return [...Map.groupBy(errors, ({ instancePath }) => instancePath).values()]
}

function findingsOf(errors: readonly ErrorObject[], tree: Tree, mayShow: (at: Path) => boolean): Finding[] {
  const at = pathOfPointer(errors[0]?.instancePath ?? '', tree)
  const told = errors.flatMap((error) => keyFinding(error, at) ?? [])
  const wrong = errors.filter((error) => !isAboutKeys(error))
  return wrong.length > 0 ? [...told, wrongValue(at, valueAt(tree, at), mayShow(at) && !isSecretPlace(at))] : told
}

function isAboutKeys({ keyword, propertyName }: ErrorObject): boolean {
  return ['additionalProperties', 'required', 'propertyNames'].includes(keyword) || propertyName !== undefined
}

function keyFinding({ keyword, params }: ErrorObject, at: Path): Finding | undefined {
  if (keyword === 'additionalProperties') return unknownKey([...at, String(params['additionalProperty'])])
  if (keyword === 'required') return missingKey([...at, String(params['missingProperty'])])
  if (keyword === 'propertyNames') return badName([...at, String(params['propertyName'])])
  return undefined
}

function unknownKey(at: Path): Finding {
  const key = String(at.at(-1))
  const near = nearest(key, knownKeys(schemaAt(configSchema, at.slice(0, -1))))
  const path = showPath(at)
  const hint = near === undefined ? '' : `. Did you mean ${near}?`
  return { severity: 'warning', path, at, message: `${path} is not known and does nothing${hint}` }
}

function missingKey(at: Path): Finding {
  return errorAt(at, `${showPath(at)} is missing: it takes ${accepted(schemaAt(configSchema, at))}`)
}

function badName(at: Path): Finding {
  const names = schemaAt(configSchema, at.slice(0, -1))?.['propertyNames']
  return errorAt(at, `${showPath(at)} cannot be called that: a name takes ${accepted(isTree(names) ? names : undefined)}`)
}

function wrongValue(at: Path, value: unknown, repeat: boolean): Finding {
  const schema = schemaAt(configSchema, at)
  const where = at.length === 0 ? 'The file' : showPath(at)
  return errorAt(at, `${where} takes ${accepted(schema)}, not ${shown(value, repeat)}`)
}

function errorAt(at: Path, message: string): Finding {
  return { severity: 'error', path: showPath(at), at, message }
}

function isSecretPlace(at: Path): boolean {
  return at.some((_key, index) => schemaAt(configSchema, at.slice(0, index + 1))?.['secret'] === true)
}

/** What a field accepts, in words. */
export function accepted(schema: Schema | undefined): string {
  if (!schema) return 'something else'
  if (typeof schema['accepts'] === 'string') return schema['accepts']
  const choices = schema['enum']
  if (Array.isArray(choices)) return oneOf(choices.map(String))
  const { type, minimum, maximum } = schema
  if (type === 'integer' || type === 'number') return `a ${type === 'integer' ? 'whole ' : ''}number${range(minimum, maximum)}`
  if (type === 'boolean') return 'true or false'
  if (type === 'array') return `a list of ${isTree(schema['items']) ? plural(accepted(schema['items'])) : 'values'}`
  if (type === 'object') return section(knownKeys(schema))
  return schema['minLength'] === 1 ? 'text that is not empty' : 'text'
}

function range(minimum: unknown, maximum: unknown): string {
  if (typeof minimum === 'number' && typeof maximum === 'number') return ` from ${minimum} to ${maximum}`
  return typeof minimum === 'number' ? ` from ${minimum} up` : ''
}

function section(keys: readonly string[]): string {
  return keys.length === 0 ? 'a section of its own' : `a section with ${keys.join(', ')}`
}

function plural(words: string): string {
  return words.startsWith('text') ? 'texts' : `entries, each ${words}`
}

function oneOf(choices: readonly string[]): string {
  return choices.length < 2 ? choices.join('') : `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`
}

function shown(value: unknown, repeat: boolean): string {
  if (Array.isArray(value)) return 'a list'
  if (isTree(value)) return 'a section'
  if (value === '') return 'an empty text'
  if (typeof value === 'string') return repeat && !value.includes('@') ? `the text ${JSON.stringify(shortened(value))}` : 'a text like this'
  if (typeof value === 'number' || typeof value === 'boolean') return repeat ? String(value) : `a ${typeof value}`
  return 'nothing'
}

function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}...` : text
}

/** The known name that a misspelt one most likely meant, or undefined where none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const limit = Math.max(2, Math.floor(word.length / 3))
  const ranked = known.map((name) => ({ name, off: distance(word.toLowerCase(), name.toLowerCase()) })).sort((a, b) => a.off - b.off)
  return ranked[0] && ranked[0].off <= limit ? ranked[0].name : undefined
}
