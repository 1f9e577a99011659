/**
 * Takes the secrets out of a plugin's config. A field whose schema says `"secret": true` reaches the plugin as a reference,
 * `{ "secret": "<place>" }`; the text stays with the kernel, which gives it to trusted plugins that ask, and to nobody else.
 */
import type { Json, JsonObject, Schema } from '@isopod/plugin-api'

export interface Separated {
  readonly config: JsonObject
  readonly secrets: ReadonlyMap<string, string>
}

export function separateSecrets(config: JsonObject, schema: Schema | undefined): Separated {
  const secrets = new Map<string, string>()
  const separated = separate(config, schema, [], secrets)
  return { config: separated as JsonObject, secrets }
}

type Node = { secret?: boolean; properties?: Record<string, Node>; additionalProperties?: Node | boolean; items?: Node }

function separate(value: Json, schema: Schema | undefined, path: readonly string[], secrets: Map<string, string>): Json {
  if (typeof schema !== 'object') return value
  const { secret, properties, additionalProperties, items } = schema as Node
  if (secret && typeof value === 'string') {
    const place = path.join('.')
    secrets.set(place, value)
    return { secret: place }
  }
  if (Array.isArray(value)) return value.map((item: Json, index) => separate(item, items, [...path, String(index)], secrets))
  if (typeof value !== 'object' || value === null) return value
  const rest = typeof additionalProperties === 'object' ? additionalProperties : undefined
  const field = (name: string) => (properties && Object.hasOwn(properties, name) ? properties[name] : rest)
  return Object.fromEntries(
    Object.entries(value as JsonObject).map(([name, inner]) => [name, inner === undefined ? undefined : separate(inner, field(name), [...path, name], secrets)]),
  )
}
