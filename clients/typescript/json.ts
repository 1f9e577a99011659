/** JSON as it comes from outside: anything, until it has been looked at. */

/** Whatever JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject

/** A JSON object. */
export interface JsonObject {
  readonly [name: string]: Json
}

interface Kinds {
  readonly string: string
  readonly number: number
  readonly boolean: boolean
}

/** Whether it is an object, and neither null nor a list. */
export function isRecord(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A field of the type that is wanted; undefined where it is absent or of another. */
export function field<Kind extends keyof Kinds>(from: JsonObject, name: string, kind: Kind): Kinds[Kind] | undefined {
  const value = from[name]
  // `typeof` has just said so.
  return typeof value === kind ? (value as unknown as Kinds[Kind]) : undefined
}

/** Parsed, or undefined where the text is no JSON. */
export function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}
