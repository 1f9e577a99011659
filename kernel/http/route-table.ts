/**
 * The rows of one generation, found by verb and path. A path without segments to fill is found in one look; the others are
 * tried in order, those with more fixed text first, so that `/v1/models/list` wins over `/v1/models/{id}`.
 */
import type { Route } from '@isopod/plugin-api'
import type { Bound } from '../collector.ts'
import type { Generation } from '../generation.ts'

/** What a path leads to. */
export interface Match {
  readonly bound: Bound<Route>
  readonly segments: Readonly<Record<string, string>>
}

interface Pattern {
  readonly bound: Bound<Route>
  readonly parts: readonly string[]
}

/** What a row may be served under; HEAD comes with GET. */
export const VERBS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

const NO_SEGMENTS: Readonly<Record<string, string>> = Object.freeze({})
const tables = new WeakMap<Generation, RouteTable>()

export class RouteTable {
  readonly #fixed = new Map<string, Match>()
  readonly #patterns: readonly Pattern[]

  constructor(routes: Iterable<Bound<Route>>) {
    const patterns: Pattern[] = []
    for (const bound of routes) {
      const { verb, path } = bound.item
      if (path.includes('{')) patterns.push({ bound, parts: path.split('/') })
      else this.#fixed.set(`${verb} ${path}`, { bound, segments: NO_SEGMENTS })
    }
    this.#patterns = patterns.sort((left, right) => fixedParts(right) - fixedParts(left) || restParts(left) - restParts(right))
  }

  /** The table of a generation, made at its first request. */
  static of(generation: Generation): RouteTable {
    const table = tables.get(generation) ?? new RouteTable(generation.routes.values())
    tables.set(generation, table)
    return table
  }

  /** The row for a request; HEAD is answered by the row for GET. */
  find(method: string, path: string): Match | undefined {
    const verb = method === 'HEAD' ? 'GET' : method
    const fixed = this.#fixed.get(`${verb} ${path}`)
    if (fixed) return fixed
    const parts = path.split('/')
    for (const { bound, parts: pattern } of this.#patterns) {
      if (bound.item.verb !== verb) continue
      const segments = filled(pattern, parts)
      if (segments) return { bound, segments }
    }
    return undefined
  }

  /** The verbs that would have found something at this path, for `Allow`. */
  verbsAt(path: string): readonly string[] {
    return VERBS.filter((verb) => this.find(verb, path))
  }
}

function fixedParts({ parts }: Pattern): number {
  return parts.filter((part) => !part.startsWith('{')).length
}

/** One that takes the rest of a path is asked after one that takes a segment. */
function restParts({ parts }: Pattern): number {
  return parts.filter((part) => part.endsWith('+}')).length
}

/** The segments by name, or undefined where the path does not fit. A segment that cannot be decoded fits nowhere. */
function filled(pattern: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  const segments: Record<string, string> = {}
  for (const [index, part] of pattern.entries()) {
    const rest = /^\{(\w+)\+\}$/.exec(part)
    const given = rest ? parts.slice(index).join('/') : parts[index]
    if (given === undefined) return undefined
    const name = rest?.[1] ?? /^\{(\w+)\}$/.exec(part)?.[1]
    if (name === undefined) {
      if (given !== part) return undefined
      continue
    }
    const decoded = decode(given)
    if (!decoded) return undefined
    segments[name] = decoded
    if (rest) return segments
  }
  return parts.length === pattern.length ? segments : undefined
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}
