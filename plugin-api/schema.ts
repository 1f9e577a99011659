/**
 * JSON Schema as plain data. A schema is written once: it checks the frame, types the handler and prints the docs. The
 * static type is derived by typebox from the literal itself, so no handler ever casts its params.
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
