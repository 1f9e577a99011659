/**
 * Texts from a URL as the method that is called wants them. A query has no types: `?limit=5` is the text `5`, and a method
 * whose schema says `integer` would refuse it. What the schema takes as text stays text, and what does not read as the type
 * that is wanted is left for the schema to refuse, in its own words. Bodies have types of their own and never come here.
 */
import type { Json, Schema } from '@isopod/plugin-api'

const INTEGER = /^-?(?:0|[1-9]\d*)$/
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d{1,3})?$/

/** The same names, each value in the first type that its property's schema allows and the text reads as. */
export function coerced(texts: Readonly<Record<string, string>>, schema: Schema | undefined): Readonly<Record<string, Json>> {
  const properties = isRecord(schema) ? schema['properties'] : undefined
  if (!isRecord(properties)) return texts
  const typed = ([name, text]: [string, string]) => [name, Object.hasOwn(properties, name) ? read(text, properties[name]) : text] as const
  return Object.fromEntries(Object.entries(texts).map(typed))
}

function read(text: string, schema: unknown): Json {
  const types = typesIn(schema)
  if (types.size === 0 || types.has('string')) return text
  if (types.has('boolean') && (text === 'true' || text === 'false')) return text === 'true'
  const value = 0 + Number(text) // JSON has no -0
  // Past 2^53 a number would be another one than the text says.
  if (types.has('integer') && INTEGER.test(text) && Number.isSafeInteger(value)) return value
  if (types.has('number') && NUMBER.test(text) && Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value
  return text
}

/** Every type a value may have by this schema, as far as it says; the types of what it lists stand for themselves. */
function typesIn(schema: unknown): Set<string> {
  const types = new Set<string>()
  if (!isRecord(schema)) return types
  const { type, enum: listed, const: only, anyOf, oneOf } = schema
  for (const one of list(type)) types.add(String(one))
  if (type === undefined) for (const one of [...list(listed), ...list(only)]) types.add(typeof one)
  for (const one of [...list(anyOf), ...list(oneOf)]) for (const name of typesIn(one)) types.add(name)
  return types
}

function list(value: unknown): readonly unknown[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value]
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
