/**
 * Takes the secrets out of a plugin's config. A field whose schema says `"secret": true` reaches the plugin as a reference,
 * `{ "secret": "<place>" }`; the text stays with the kernel, which gives it to trusted plugins that ask, and to nobody else.
 */
import { jsonCopy, type Json, type JsonObject, type Schema } from '@isopod/plugin-api'

export interface Separated {
  /** Deeply frozen. */
  readonly config: JsonObject
  readonly secrets: ReadonlyMap<string, string>
}

/** Takes out what stands in the config. A field that is a reference already stays one, and nothing is behind it here. */
export function separateSecrets(config: JsonObject, schema: Schema | undefined): Separated {
  const secrets = new Map<string, string>()
  const separated = separate(config, schema, [], secrets)
  return { config: jsonCopy(separated, 'a config', 'held') as JsonObject, secrets }
}

type Node = { secret?: boolean; properties?: Record<string, Node>; additionalProperties?: Node | boolean; items?: Node }

function separate(value: Json, schema: Schema | undefined, path: readonly string[], secrets: Map<string, string>): Json {
  if (typeof schema !== 'object') return value
  const { secret, properties, additionalProperties, items } = schema as Node
  if (secret && typeof value === 'string') {
    // A name with a dot in it must not pass for two.
    const place = path.map((part) => part.replaceAll('~', '~0').replaceAll('.', '~1')).join('.')
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

/**
 * Where a schema marks a secret that would not be found: anywhere but in `properties`, `additionalProperties` and `items`.
 * Undefined where there is none. Such a text would reach the plugin as it stands.
 */
export function unreachableSecret(schema: Schema | undefined): string | undefined {
  return missed(schema, '', true)
}

function missed(node: unknown, path: string, reachable: boolean): string | undefined {
  if (typeof node !== 'object' || node === null) return undefined
  if (!reachable && (node as Node).secret === true) return path
  for (const [word, inner] of Object.entries(node)) {
    if (word === 'default' || word === 'const' || word === 'enum' || word === 'examples') continue
    const found = word === 'properties' ? missedIn(inner, `${path}/properties`, reachable) : missed(inner, `${path}/${word}`, reachable && (word === 'additionalProperties' || word === 'items'))
    if (found !== undefined) return found
  }
  return undefined
}

/** The names in a table of properties are the owner's fields, and no words of the schema. */
function missedIn(properties: unknown, path: string, reachable: boolean): string | undefined {
  if (typeof properties !== 'object' || properties === null) return undefined
  for (const [name, inner] of Object.entries(properties)) {
    const found = missed(inner, `${path}/${name}`, reachable)
    if (found !== undefined) return found
  }
  return undefined
}
