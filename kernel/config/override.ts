/**
 * What the environment and the command line say about the config: a layer above the file, so that a container or a
 * one-off start needs no edit. An empty variable counts as unset.
 */
import { coerce } from './env.ts'
import type { Env } from './env.ts'
import { isTree, schemaAt } from './path.ts'
import type { Path, Schema, Tree } from './path.ts'

/** One setting from outside the file, and who set it: `ISOPOD_PORT`, `--port`. */
export interface Override {
  readonly path: Path
  readonly value: unknown
  readonly from: string
}

/** Options of the command line that stand above the file. */
export interface Flags {
  readonly port?: string | number | undefined
}

/** The first of these that is set gives the token: our own names, and those the documented clients and guides use. */
export const TOKEN_VARIABLES: readonly string[] = ['GATEWAY_AUTH_TOKEN', 'ISOPOD_TOKEN', 'OPENCLAW_GATEWAY_TOKEN', 'OPENCLAW_AUTH_TOKEN']

/** What is set outside the file. The command line wins over the environment. */
export function overridesFrom(env: Env, flags: Flags = {}): Override[] {
  const overrides: Override[] = []
  const tokenVariable = TOKEN_VARIABLES.find((name) => env[name])
  if (tokenVariable) overrides.push({ path: ['gateway', 'auth', 'token'], value: env[tokenVariable], from: tokenVariable })
  const port = ['gateway', 'port']
  if (flags.port !== undefined && flags.port !== '') overrides.push({ path: port, value: flags.port, from: '--port' })
  else if (env['ISOPOD_PORT']) overrides.push({ path: port, value: env['ISOPOD_PORT'], from: 'ISOPOD_PORT' })
  return overrides
}

/** A copy of `tree` with the overrides in it. */
export function applyOverrides(tree: Tree, overrides: readonly Override[], schema: Schema): Tree {
  return overrides.reduce((result, { path, value }) => {
    return put(result, path, typeof value === 'string' ? coerce(value, schemaAt(schema, path)) : value)
  }, tree)
}

function put(tree: Tree, [key, ...rest]: Path, value: unknown): Tree {
  if (key === undefined) return tree
  const below = tree[key]
  return { ...tree, [key]: rest.length === 0 ? value : put(isTree(below) ? below : {}, rest, value) }
}
