/** JSON that has just been parsed, made safe to hand out: frozen where it lies, and refused where it is nested too deep. */
import type { Json } from '@isopod/plugin-api'

/** Values nested deeper than the plugin API allows (64), with room for the message around them. */
const MESSAGE_DEPTH = 72

/**
 * Freezes a parsed value through and through, and answers it. Nobody else may hold a part of it.
 * @throws RangeError where it is nested deeper than any message may be.
 */
export function frozen(value: Json): Json {
  freeze(value, 1)
  return value
}

function freeze(value: Json | undefined, depth: number): void {
  if (typeof value !== 'object' || value === null) return
  if (depth > MESSAGE_DEPTH) throw new RangeError(`A message is nested deeper than ${MESSAGE_DEPTH} levels`)
  Object.freeze(value)
  for (const item of Object.values(value)) freeze(item, depth + 1)
}
