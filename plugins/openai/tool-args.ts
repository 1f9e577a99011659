/** The arguments of a tool call, which this API carries as JSON in a text and a model may have written badly. */
import type { Json } from '@isopod/plugin-api'

/** Nested deeper, they stay a text: a few bytes of brackets could otherwise exhaust the stack of whoever writes them again. */
const DEPTH = 32

/** The arguments as an object or list; the text itself where it is neither, so that the model sees again what it wrote. */
export function argsOf(text: string): Json {
  if (text.trim() === '') return {}
  if (depthOf(text) > DEPTH) return text
  try {
    const args = JSON.parse(text) as Json
    return typeof args === 'object' && args !== null ? args : text
  } catch {
    return text
  }
}

/** The other way. */
export function argumentsOf(args: unknown): string {
  return typeof args === 'string' ? args : JSON.stringify(args ?? {})
}

/** Brackets within texts count too, which can only say too much. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    depth += bracket === '[' || bracket === '{' ? 1 : -1
    deepest = Math.max(deepest, depth)
  }
  return deepest
}
