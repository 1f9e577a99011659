/**
 * JSON Schema as plain data. From one literal come the check of what arrives, the handler's types and the
 * reference pages. typebox derives the static type from the literal itself, so no handler ever casts its params.
 */
import type { XStatic } from 'typebox/schema'

/** A JSON Schema (2020-12), as plain data. */
export type Schema = object | boolean

/**
 * What a value is once the schema has let it through.
 *
 *     Static<{ type: 'object', required: ['name'], properties: { name: { type: 'string' } } }>   // { name: string }
 */
export type Static<S> = unknown extends S ? Record<string, never> : XStatic<S>
