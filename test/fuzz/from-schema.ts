/**
 * Values that a JSON Schema allows, as far as the schemas of methods and of the config go: what gets past the first check is
 * what reaches the code behind it. Keywords that are not known here are passed over, so a value may not fit after all.
 */
import fc from 'fast-check'
import type { Json, Schema } from '@isopod/plugin-api'
import { oddJson, oddText, withKeys } from './odd-json.ts'

type Node = Readonly<Record<string, unknown>>

/** Values for fields of these names, whatever their schema says: an address that leads nowhere, a path that is nobody's. */
export type Fields = Readonly<Record<string, fc.Arbitrary<Json>>>

export function fromSchema(schema: Schema | undefined, fields: Fields = {}): fc.Arbitrary<Json> {
  return isNode(schema) ? fromNode(schema, fields) : oddJson
}

function fromNode(schema: Node, fields: Fields): fc.Arbitrary<Json> {
  const { enum: choices, const: only, anyOf, oneOf, type } = schema
  if (only !== undefined) return fc.constant(only as Json)
  if (Array.isArray(choices)) return fc.constantFrom(...(choices as Json[]))
  const branches = [anyOf, oneOf].flatMap((list) => (Array.isArray(list) ? (list as unknown[]).filter(isNode) : []))
  if (branches.length > 0) return fc.oneof(...branches.map((branch) => fromNode({ ...withoutChoice(schema), ...branch }, fields)))
  const types = Array.isArray(type) ? (type as string[]) : [type === undefined ? guessed(schema) : String(type)]
  return fc.oneof(...types.map((one) => ofType(one, schema, fields)))
}

function withoutChoice({ anyOf: _any, oneOf: _one, ...rest }: Node): Node {
  return rest
}

function guessed(schema: Node): string {
  return schema['properties'] !== undefined || schema['required'] !== undefined ? 'object' : 'anything'
}

function ofType(type: string, schema: Node, fields: Fields): fc.Arbitrary<Json> {
  switch (type) {
    case 'string':
      return text(schema)
    case 'integer':
      return fc.integer(between(schema))
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true, ...between(schema) })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array':
      return list(schema, fields)
    case 'object':
      return object(schema, fields)
    default:
      return oddJson
  }
}

function between({ minimum, maximum, exclusiveMinimum }: Node): { min?: number; max?: number } {
  const min = typeof minimum === 'number' ? minimum : typeof exclusiveMinimum === 'number' ? exclusiveMinimum + 1 : undefined
  return { ...(min !== undefined && { min }), ...(typeof maximum === 'number' && { max: maximum }) }
}

function text({ pattern, minLength, maxLength }: Node): fc.Arbitrary<string> {
  const least = Number(minLength ?? 0)
  const most = Number(maxLength ?? Number.POSITIVE_INFINITY)
  const fitting = oddText.map((one) => one.slice(0, Math.min(most, one.length)).padEnd(least, 'a'))
  if (typeof pattern !== 'string') return fitting
  const matching = fc.stringMatching(new RegExp(pattern, 'u'), { size: 'small' })
  return fc.oneof({ weight: 4, arbitrary: matching }, { weight: 1, arbitrary: fitting })
}

function list({ items, minItems, maxItems }: Node, fields: Fields): fc.Arbitrary<Json> {
  const minLength = Number(minItems ?? 0)
  const maxLength = Math.max(minLength, Math.min(Number(maxItems ?? 4), 4))
  return fc.array(isNode(items) ? fromNode(items, fields) : oddJson, { minLength, maxLength })
}

function object(schema: Node, fields: Fields): fc.Arbitrary<Json> {
  const properties = isNode(schema['properties']) ? schema['properties'] : {}
  const required = Array.isArray(schema['required']) ? (schema['required'] as string[]) : []
  const known = Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, fields[name] ?? (isNode(inner) ? fromNode(inner, fields) : oddJson)]))
  const named = fc.record(known, { requiredKeys: required.filter((name) => name in known) })
  const { additionalProperties, propertyNames } = schema
  if (additionalProperties === false) return named
  const names = isNode(propertyNames) ? text(propertyNames) : oddText
  const values = isNode(additionalProperties) ? fromNode(additionalProperties, fields) : oddJson
  const further = fc.array(fc.tuple(names, values), { maxLength: Object.keys(known).length === 0 ? 3 : 1 })
  return fc.tuple(named, further).map(([one, more]) => withKeys([...Object.entries(one), ...more]))
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
