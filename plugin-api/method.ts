/**
 * A method: one thing the gateway can do, by the one name the core knows. Dialects and routes spell it in their own ways;
 * the meaning is here.
 */
import type { Context } from './context.ts'
import type { Scope } from './caller.ts'
import type { Schema, Static } from './schema.ts'

/** What a method says of itself, all of it plain data. */
export interface MethodDeclaration {
  /** `noun.verb`, lower case. The plugin that serves a noun also rings its hooks and runs its contributions. */
  readonly name: string
  /** One sentence for the generated reference. */
  readonly description?: string
  /** What the caller's credential must allow; `public` asks for no credential at all. */
  readonly scope: Scope | 'public'
  /** Only plugins may call it. To everybody else it does not exist. */
  readonly internal?: boolean
  /** The handler answers an async iterable: a stream. Only an internal method may. */
  readonly streams?: boolean
  /** How long one call may take, in milliseconds. `gateway.limits.timeoutSeconds` unless said; 0 is no deadline. */
  readonly deadlineMs?: number
  /** Checked before the handler runs; a caller whose params do not fit is refused `invalid_request`. */
  readonly params?: Schema
  /** Documentation of the answer. Checked by the testing gateway, trusted in production. */
  readonly result?: Schema
}

/**
 * A method's body. Params have passed the schema and are frozen. What it answers must be JSON (or, for one that
 * `streams`, an async iterable of JSON). Throws `RpcError` to refuse; anything else thrown is a bug and crosses as `internal`.
 */
export type Handle = (params: never, ctx: Context) => unknown

export interface Method extends MethodDeclaration {
  readonly handle: Handle
}

/** A method whose handler is typed by its own schema. */
export type TypedMethod<Params> = Omit<MethodDeclaration, 'params'> & {
  readonly params?: Params
  readonly handle: (params: Static<Params>, ctx: Context) => unknown
}

export interface MethodRegistry {
  /** Adds a method. Its name must be free; a conflict names both plugins. */
  add<const Params>(method: TypedMethod<Params>): void
}
