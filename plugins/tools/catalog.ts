/** The tools of all plugins as `tool.list` tells of them. */
import type { Context, JsonObject } from '@isopod/plugin-api'
import type { ToolRow } from './contract.ts'

/** What a tool that declares no params takes. */
const NOTHING: JsonObject = { type: 'object', properties: {} }

/** All of them, by name. */
export async function toolsOf(ctx: Context): Promise<readonly ToolRow[]> {
  const declared = await ctx.catalog('tools')
  // The catalogue holds what the registry took: `ToolDeclaration`s, of which a schema may be `true`.
  const rows = declared as unknown as readonly (Omit<ToolRow, 'params'> & { readonly params?: JsonObject | boolean })[]
  return rows
    .map(({ name, description, params, effects }) => ({ name, description, params: typeof params === 'object' ? params : NOTHING, effects }))
    .sort((left, right) => (left.name < right.name ? -1 : 1))
}
