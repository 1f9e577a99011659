/**
 * Where something stands in a config: the keys from the top, and the part of a schema that describes that place. It
 * knows the few words of JSON Schema that shape a tree and none of those that check a value.
 */

export type Path = readonly (string | number)[]

/** Plain data as it comes out of a parser: an object, not an array. */
export type Tree = { [key: string]: unknown }

/** A JSON Schema, read as data. */
export type Schema = { readonly [keyword: string]: unknown }

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `gateway.hosts[0]`; a key that would read wrong is quoted: `plugins["a.b"]`. */
export function showPath(path: Path): string {
  return path.reduce<string>((shown, key) => {
    if (typeof key === 'number') return `${shown}[${key}]`
    if (!/^[\w$-]+$/.test(key)) return `${shown}[${JSON.stringify(key.slice(0, 80))}]`
    return shown === '' ? key : `${shown}.${key}`
  }, '')
}

/** The path that a JSON pointer names within `value`: list positions come back as numbers. */
export function pathOfPointer(pointer: string, value: unknown): Path {
  let at = value
  return pointer.split('/').slice(1).map((part) => {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    const step = Array.isArray(at) ? Number(key) : key
    at = valueAt(at, [step])
    return step
  })
}

export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, key) => {
    if (Array.isArray(at) || isTree(at)) return Object.hasOwn(at, key) ? Reflect.get(at, key) : undefined
    return undefined
  }, value)
}

/** The schema of one key below `schema`, or undefined where it says nothing of it. */
export function childSchema(schema: Schema | undefined, key: string | number): Schema | undefined {
  if (!schema) return undefined
  for (const branch of branches(schema)) {
    const child = typeof key === 'number' ? branch['items'] : ownChild(branch, key)
    if (isTree(child)) return child
  }
  return undefined
}

export function schemaAt(schema: Schema, path: Path): Schema | undefined {
  return path.reduce<Schema | undefined>(childSchema, schema)
}

/** The keys that a schema names. */
export function knownKeys(schema: Schema | undefined): string[] {
  if (!schema) return []
  return branches(schema).flatMap(({ properties }) => (isTree(properties) ? Object.keys(properties) : []))
}

function branches(schema: Schema): Schema[] {
  const further = ['anyOf', 'oneOf', 'allOf'].flatMap((word) => (Array.isArray(schema[word]) ? schema[word].filter(isTree) : []))
  return [schema, ...further.flatMap(branches)]
}

function ownChild({ properties, additionalProperties }: Schema, key: string): unknown {
  return isTree(properties) && Object.hasOwn(properties, key) ? properties[key] : additionalProperties
}
