/** Telling a JSON object from the rest of JSON. */
import type { JsonObject } from '@isopod/plugin-api'

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
