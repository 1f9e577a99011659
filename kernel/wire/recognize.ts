/** Which dialect a socket speaks, decided once: by subprotocol or path at the upgrade, else by its first frame. */
import type { Dialect, JsonObject, Opening } from '@isopod/plugin-api'
import type { Generation } from '../generation.ts'

/** Every dialect, in the order in which they are asked: those the config names, then the rest by name. */
export function inOrder(generation: Generation, preferred: readonly string[]): readonly Dialect[] {
  const all = [...generation.dialects.values()].map(({ item }) => item)
  const rank = (name: string) => (preferred.includes(name) ? preferred.indexOf(name) : preferred.length)
  return all.sort((left, right) => rank(left.name) - rank(right.name) || (left.name < right.name ? -1 : 1))
}

/** The first of the subprotocols the client offers that some dialect has (RFC 6455, 4.2.2: the server picks one). */
export function bySubprotocol(dialects: readonly Dialect[], offered: string | undefined): { dialect: Dialect; subprotocol: string } | undefined {
  const wishes = (offered ?? '').split(',').map((one) => one.trim())
  for (const subprotocol of wishes) {
    const dialect = dialects.find((one) => one.subprotocols?.includes(subprotocol))
    if (dialect) return { dialect, subprotocol }
  }
  return undefined
}

export function byPath(dialects: readonly Dialect[], path: string): Dialect | undefined {
  return dialects.find((one) => one.paths?.includes(path))
}

export function byFirstFrame(dialects: readonly Dialect[], frame: JsonObject): Dialect | undefined {
  return dialects.find((one) => one.openings?.some((opening) => fits(opening, frame)))
}

function fits({ has, lacks = [], types, otherThan = [] }: Opening, frame: JsonObject): boolean {
  if (has !== undefined && !Object.hasOwn(frame, has)) return false
  if (lacks.some((name) => Object.hasOwn(frame, name))) return false
  const type = typeof frame['type'] === 'string' ? frame['type'] : undefined
  if (type !== undefined && otherThan.includes(type)) return false
  return types === undefined || (type !== undefined && types.includes(type))
}
