/** A tool: something the agent can do, with a name and a schema the model is shown. */
import type { Context } from './context.ts'
import type { Schema, Static } from './schema.ts'

/** What running a tool may do to the world. With the call's origin this decides whether it runs, asks, or is refused. */
export const EFFECTS = ['read', 'write', 'network', 'exec', 'spend'] as const

export type Effect = (typeof EFFECTS)[number]

export interface ToolDeclaration {
  /** `[a-z0-9_]{1,64}`, since providers refuse other names. */
  readonly name: string
  /** For the model: what it does and when to use it. */
  readonly description: string
  readonly effects: readonly Effect[]
  readonly params?: Schema
}

export interface Tool extends ToolDeclaration {
  readonly handle: (args: never, ctx: Context) => unknown
}

export type TypedTool<Params> = Omit<ToolDeclaration, 'params'> & {
  readonly params?: Params
  /** Answers JSON, shown to the model. Throws `RpcError` to refuse in words the model may see. */
  readonly handle: (args: Static<Params>, ctx: Context) => unknown
}

export interface ToolRegistry {
  add<const Params>(tool: TypedTool<Params>): void
}
