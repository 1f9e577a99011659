/** JSON from outside: parsed, bounded in depth, and frozen, so that no handler can tell it from a copy. */
import { JSON_DEPTH, RpcError, type Json } from '@isopod/plugin-api'

/**
 * The value of a JSON text.
 * @throws RpcError `invalid_request` where it is none, or is nested too deep.
 */
export function parseJson(text: string): Json {
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch (cause) {
    throw new RpcError('invalid_request', `This is not JSON: ${(cause as Error).message}`, { cause })
  }
  freeze(value, 0)
  return value
}

/** Whether a value is a JSON object, not a list and not null. */
export function isObject(value: unknown): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function freeze(value: Json, depth: number): void {
  if (typeof value !== 'object' || value === null) return
  if (depth >= JSON_DEPTH) throw new RpcError('invalid_request', `The JSON is nested deeper than ${JSON_DEPTH} levels`)
  if (Array.isArray(value)) for (const item of value as readonly Json[]) freeze(item, depth + 1)
  else for (const key in value) freeze((value as Record<string, Json>)[key] ?? null, depth + 1)
  Object.freeze(value)
}
