/**
 * What plugin code is handed and may answer. Anything JSON has no form for,
 * as a Date or NaN, is reported as the plugin's bug.
 */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject

export interface JsonObject {
  readonly [key: string]: Json | undefined
}

/** Whether a value is a JSON object: not a list, and not null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
