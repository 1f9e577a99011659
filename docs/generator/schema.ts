/** A JSON Schema in words: the fields of an object, one row each, with what they take. */
import { accepted } from '@isopod/kernel/config/check.ts'

/** A schema as a tree to walk; what is no object has no fields. */
export type Node = { readonly [keyword: string]: unknown }

/** One field, by its path from where the walk began. */
export interface Field {
  readonly path: string
  readonly takes: string
  /** As JSON; empty where there is none. */
  readonly standard: string
  readonly required: boolean
  readonly description: string
}

/** Every field below a schema, depth first, in the order they are declared. */
export function fieldsOf(schema: unknown, at = ''): readonly Field[] {
  if (!isNode(schema)) return []
  const { properties, required, additionalProperties, items } = schema
  const needed = Array.isArray(required) ? (required as readonly unknown[]) : []
  const named = Object.entries(isNode(properties) ? properties : {}).flatMap(([name, field]) => rows(field, joined(at, name), needed.includes(name)))
  const others = isNode(additionalProperties) ? rows(additionalProperties, joined(at, '<name>'), false) : []
  // The items of a list are told where they are objects with fields of their own.
  return [...named, ...others, ...(isNode(items) ? fieldsOf(items, `${at}[]`) : [])]
}

function rows(field: unknown, path: string, required: boolean): readonly Field[] {
  if (!isNode(field)) return [{ path, takes: 'anything', standard: '', required, description: '' }]
  const below = fieldsOf(field, path)
  const { description, default: standard } = field
  const own = { path, takes: takes(field), standard: standardOf(standard), required, description: typeof description === 'string' ? description : '' }
  // A section that says nothing of itself is told by its fields.
  return below.length > 0 && own.description === '' ? below : [own, ...below]
}

function standardOf(standard: unknown): string {
  if (standard === undefined || (isNode(standard) && Object.keys(standard).length === 0)) return ''
  return JSON.stringify(standard)
}

function takes(field: Node): string {
  if (field['const'] !== undefined) return JSON.stringify(field['const'])
  if (field['type'] === 'object') return 'a section'
  if (field['type'] === undefined && field['enum'] === undefined && field['accepts'] === undefined) return field['secret'] === true ? 'text' : 'anything'
  return `${accepted(field)}${bounds(field)}`
}

function bounds({ maxLength, maxItems, pattern, accepts }: Node): string {
  const most = typeof maxLength === 'number' ? `, ${maxLength} characters at most` : typeof maxItems === 'number' ? `, ${maxItems} at most` : ''
  return typeof pattern === 'string' && accepts === undefined ? `${most}, like \`${pattern}\`` : most
}

function joined(at: string, name: string): string {
  return at === '' ? name : `${at}.${name}`
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
