/**
 * What of a config decides who gets in, what runs unguarded, where keys are sent and where the gateway writes. Whoever may
 * change that can give himself everything, so it takes more than the right to change the rest.
 */
import { isDeepStrictEqual } from 'node:util'
import { isTree, showPath } from './path.ts'
import type { Path, Tree } from './path.ts'

/** `*` stands for any key. */
const TRUSTED: readonly Path[] = [
  ['gateway', 'auth'],
  ['plugins', '*', 'from'],
  ['plugins', '*', 'trust'],
  ['models', 'providers', '*', 'baseUrl'], // its key is sent there
  ['plugins', '*', 'config', 'providers', '*', 'baseUrl'], // the same: a plugin's own entry lies over its section
  ['log', 'file'],
]

/** The first such field in which two configs, as they are written, differ; undefined where there is none. */
export function changedTrust(before: Tree, after: Tree): string | undefined {
  for (const path of TRUSTED) {
    const [was, becomes] = [placesOf(before, path), placesOf(after, path)]
    const changed = [...new Set([...was.keys(), ...becomes.keys()])].find((place) => !isDeepStrictEqual(was.get(place), becomes.get(place)))
    if (changed !== undefined) return changed
  }
  return undefined
}

/** What stands at a path, by the place in full. */
function placesOf(tree: unknown, path: Path, at: Path = []): Map<string, unknown> {
  const [key, ...rest] = path
  if (key === undefined) return tree === undefined ? new Map() : new Map([[showPath(at), tree]])
  if (!isTree(tree)) return new Map()
  const keys = key === '*' ? Object.keys(tree) : Object.hasOwn(tree, key) ? [String(key)] : []
  return new Map(keys.flatMap((one) => [...placesOf(tree[one], rest, [...at, one])]))
}
