/**
 * The rule of what may cross the plugin API, in one function for both sides of the wall: JSON, deeply frozen, copied so
 * that nobody can change it afterwards. What is no JSON is a bug of the plugin that answered it, told with the place and
 * with what to answer instead. It knows no schema and no plugin; whoever calls it says where the value came from.
 */
import { RpcError } from './error.ts'
import type { Json } from './json.ts'

/**
 * Values nested deeper are refused: `JSON.stringify` and every recursive check overflow long before `JSON.parse` does.
 * The kernel's own bound for frames and bodies is the same number; this package may not import it.
 */
export const JSON_DEPTH = 64

/** Thrown by the quick walk, which keeps no path; the slow one then finds where. */
const NOT_JSON = Symbol('not JSON')

/**
 * A deeply frozen copy. Properties that are undefined vanish, as does what has a symbol for a name; nothing at all is
 * null. An own `__proto__` stays an ordinary property.
 *
 *     jsonCopy({ when: new Date() }, 'clock 1.0.0: clock.now')
 *     // RpcError internal: clock 1.0.0: clock.now answered a Date at .when; use its toISOString() instead
 *
 * @param where Who produced the value, as the message begins.
 * @param verb `held` where the value is an argument and not an answer.
 * @throws RpcError `internal` for what is no JSON: a Date, a Map, NaN, a BigInt, a function, a class instance, a cycle,
 *   or a nesting deeper than `JSON_DEPTH`.
 */
export function jsonCopy(value: unknown, where: string, verb: 'answered' | 'held' = 'answered'): Json {
  if (value === undefined) return null
  try {
    return copied(value, 1)
  } catch (thrown) {
    if (thrown !== NOT_JSON) throw thrown
    throw new RpcError('internal', `${where} ${verb} ${found(value)}`)
  }
}

function copied(value: unknown, depth: number): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      if (!Number.isFinite(value)) throw NOT_JSON
      return value === 0 ? 0 : value // JSON has no -0, and what crosses a process would lose it
    case 'object':
      if (value === null) return null
      if (depth > JSON_DEPTH) throw NOT_JSON
      return Array.isArray(value) ? copiedArray(value, depth) : copiedObject(value, depth)
    default:
      throw NOT_JSON
  }
}

function copiedArray(items: readonly unknown[], depth: number): Json {
  const copy: Json[] = []
  for (let index = 0; index < items.length; index++) copy.push(copied(items[index], depth + 1))
  return Object.freeze(copy)
}

function copiedObject(object: object, depth: number): Json {
  if (!isPlain(object)) throw NOT_JSON
  const copy: Record<string, Json> = {}
  for (const key of Object.keys(object)) {
    const value = (object as Record<string, unknown>)[key]
    if (value === undefined) continue
    const item = copied(value, depth + 1)
    if (key === '__proto__') Object.defineProperty(copy, key, { value: item, enumerable: true })
    else copy[key] = item
  }
  return Object.freeze(copy)
}

function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object)
  return prototype === Object.prototype || prototype === null
}

/** What is wrong, where, and what to do: the rest of the sentence. */
function found(root: unknown): string {
  const culprit = culpritOf(root, '', [])
  if (!culprit) return 'something that is no JSON' // an accessor that answered otherwise the second time
  const place = culprit.path === '' ? '' : ` at ${culprit.path}`
  return `${culprit.what}${place}; ${ADVICE[culprit.what] ?? 'only JSON may pass here'}`
}

interface Culprit {
  readonly what: string
  readonly path: string
}

const ADVICE: Readonly<Record<string, string>> = {
  'a Date': 'use its toISOString() instead',
  'a Map': 'use Object.fromEntries() of it instead',
  'a Set': 'use an array of its items instead',
  'a BigInt': 'use its text instead',
  NaN: 'use null where there is no number',
  Infinity: 'use null where there is no number',
  '-Infinity': 'use null where there is no number',
  undefined: 'use null in a list',
  'a Promise': 'await it first',
  'a Uint8Array': 'use base64 text, or stream the bytes',
  'a cycle': 'a value may not contain itself',
}

function culpritOf(value: unknown, path: string, above: readonly object[]): Culprit | undefined {
  if (typeof value !== 'object' || value === null) {
    const what = wrongPrimitive(value)
    return what === undefined ? undefined : { what, path }
  }
  if (above.includes(value)) return { what: 'a cycle', path }
  if (above.length === JSON_DEPTH) return { what: `something nested deeper than ${JSON_DEPTH} levels`, path: shortened(path) }
  if (Array.isArray(value)) return firstCulprit(Array.from(value, (item: unknown, index) => [`[${index}]`, item]), path, [...above, value])
  if (!isPlain(value)) return { what: instanceName(value), path }
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  return firstCulprit(entries.map(([key, item]) => [step(key), item]), path, [...above, value])
}

function firstCulprit(entries: readonly (readonly [string, unknown])[], path: string, above: readonly object[]): Culprit | undefined {
  for (const [name, item] of entries) {
    const culprit = culpritOf(item, path + name, above)
    if (culprit) return culprit
  }
  return undefined
}

function wrongPrimitive(value: unknown): string | undefined {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? undefined : String(value)
    case 'bigint':
      return 'a BigInt'
    case 'undefined':
      return 'undefined'
    case 'function':
    case 'symbol':
      return `a ${typeof value}`
    default:
      return undefined
  }
}

/** `a Date`, `an Order`: by the constructor's name, which is the author's own word for it. */
function instanceName(value: object): string {
  const maker: unknown = (value as { constructor?: unknown }).constructor
  const name = typeof maker === 'function' && maker.name !== '' ? maker.name.slice(0, 64) : 'class instance'
  return `${/^[AEIOaeio]/.test(name) ? 'an' : 'a'} ${name}`
}

function step(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key.slice(0, 64))}]`
}

/** Sixty-four names in a row help nobody. */
function shortened(path: string): string {
  return path.length <= 80 ? path : `${path.slice(0, 77)}...`
}
