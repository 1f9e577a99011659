/**
 * The part of a plugin's config that its schema knows. A misspelt key is told to the owner with the name he may have meant,
 * and left out: it must not take the plugin down, and with it all that needs it. Wrong values stay, and are refused.
 */
import type { Json, JsonObject, Schema } from '@isopod/plugin-api'
import { nearest } from '../config/check.ts'

export interface KnownConfig {
  readonly config: JsonObject
  /** What was left out, a sentence each. */
  readonly unknown: readonly string[]
}

type Node = { properties?: Record<string, Node>; additionalProperties?: Node | boolean; items?: Node }

/** @param place where the config stands, for the sentences: `plugins.weather.config`. */
export function knownConfig(config: JsonObject, schema: Schema | undefined, place: string): KnownConfig {
  const unknown: string[] = []
  const known = knownPart(config, schema, place, unknown)
  return { config: known as JsonObject, unknown }
}

function knownPart(value: Json, schema: Node | boolean | undefined, place: string, unknown: string[]): Json {
  if (typeof schema !== 'object' || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item: Json, index) => knownPart(item, schema.items, `${place}[${index}]`, unknown))
  const { properties = {}, additionalProperties } = schema
  const kept: Record<string, Json> = {}
  for (const [name, inner] of Object.entries(value as JsonObject)) {
    if (inner === undefined) continue
    const field = Object.hasOwn(properties, name) ? properties[name] : additionalProperties
    if (field === false) unknown.push(sentence(place, name, Object.keys(properties)))
    else kept[name] = knownPart(inner, field, `${place}.${name}`, unknown)
  }
  return kept
}

function sentence(place: string, name: string, known: readonly string[]): string {
  const meant = nearest(name, known)
  return `${place}.${name} is not known and does nothing${meant === undefined ? '' : `: did you mean ${meant}?`}`
}
