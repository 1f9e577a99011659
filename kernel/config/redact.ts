/**
 * A copy of a config that may be shown: secrets replaced, references to variables left as they stand in the file, since a
 * name is no secret and an owner wants to see it. A schema says what is secret. What no schema knows is not shown either:
 * a misspelt `apikey` is still a key.
 */
import { isSecretName } from '../log/secrecy.ts'
import { mapPieces } from './env.ts'
import { childSchema, isTree } from './path.ts'
import type { Schema, Tree } from './path.ts'
import { configSchema } from './schema.ts'

/** What stands in place of a secret. */
export const REDACTED = '<redacted>'

/** What may stand before a credential in a header and is none of it. */
const SCHEME = /^(?:Bearer|Basic|Bot|Token) /

/** A copy of `value` with everything secret replaced. Works for a whole config and for a plugin's part with its own schema. */
export function redact(value: unknown, schema: Schema | undefined): unknown {
  if (schema?.['secret'] === true) return secret(value)
  if (typeof value === 'string') return schema ? withoutCredentials(value) : hidden(value)
  if (Array.isArray(value)) return value.map((item, index) => redact(item, childSchema(schema, index)))
  if (!isTree(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactField(key, item, childSchema(schema, key))]))
}

/** The config's schema with the schemas of plugins' own settings put where they belong. */
export function schemaWithPlugins(schemas: { readonly [plugin: string]: Schema }): Schema {
  const { plugins } = configSchema.properties
  const entry = plugins.additionalProperties
  const properties = Object.fromEntries(
    Object.entries(schemas).map(([id, config]) => [id, { ...entry, properties: { ...entry.properties, config } }]),
  )
  return { ...configSchema, properties: { ...configSchema.properties, plugins: { ...plugins, properties } } }
}

/**
 * Every text and number in `value` that is secret by its schema or, where no
 * schema knows it, by its name. For the log to hide.
 */
export function secretsIn(value: unknown, schema: Schema | undefined, named = false): string[] {
  const isSecret = named || schema?.['secret'] === true
  if (typeof value === 'string') return isSecret ? [value, value.replace(SCHEME, '')] : []
  if (typeof value === 'number') return isSecret ? [String(value)] : []
  if (Array.isArray(value)) return value.flatMap((item, index) => secretsIn(item, childSchema(schema, index), isSecret))
  if (!isTree(value) || isStoreReference(value)) return []
  return Object.entries(value).flatMap(([key, item]) => {
    const part = childSchema(schema, key)
    return secretsIn(item, part, isSecret || (!part && isSecretName(key)))
  })
}

/** What the file says where it refers to a variable, and what is in force everywhere else. */
export function overlayReferences(inForce: unknown, written: unknown): unknown {
  if (isTree(written)) {
    const base: Tree = isTree(inForce) ? inForce : {}
    const keys = new Set([...Object.keys(base), ...Object.keys(written)])
    return Object.fromEntries([...keys].map((key) => [key, overlayReferences(own(base, key), own(written, key))]))
  }
  if (Array.isArray(written)) return written
  return typeof written === 'string' && written.includes('${') ? written : (inForce ?? written)
}

function own(tree: Tree, key: string): unknown {
  return Object.hasOwn(tree, key) ? tree[key] : undefined
}

function redactField(key: string, value: unknown, schema: Schema | undefined): unknown {
  if (!schema && isSecretName(key)) return secret(value)
  return redact(value, schema)
}

function secret(value: unknown): unknown {
  if (value === null || value === undefined || isStoreReference(value)) return value
  return typeof value === 'string' ? hidden(value) : REDACTED
}

/** Keeps the references in a text and hides what stands around them, a default included. */
function hidden(text: string): string {
  return mapPieces(
    text,
    (name, fallback) => (fallback === undefined ? `\${${name}}` : `\${${name}:-${REDACTED}}`),
    (between) => (between.replace(SCHEME, '') === '' ? between : REDACTED),
  )
}

/** `{ secret: name }`: the name of a secret in the store, which may be shown. */
function isStoreReference(value: unknown): boolean {
  return isTree(value) && Object.keys(value).length === 1 && typeof value['secret'] === 'string'
}

/** An address may carry a user's name and password, or a key among its parameters. */
function withoutCredentials(text: string): string {
  if (!text.includes('://')) return text
  return text
    .replace(/:\/\/[^/?#@\s]+@/g, `://${REDACTED}@`)
    .replace(/([?&][^=?&#\s]*(?:key|token|secret|password|signature)[^=&#\s]*=)[^&#\s]*/gi, `$1${REDACTED}`)
}
