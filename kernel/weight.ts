/**
 * How much memory a JSON value roughly takes, without spelling it: what is kept of it has to be bounded, and writing it down
 * for that alone would cost more than keeping it. It counts characters as JSON would, give or take the punctuation.
 */

/** What a number, a truth value or a place in a list weighs, and what an object weighs beside its content. */
const SCALAR = 8
const OBJECT = 16

/** For values of bounded depth, as all are that crossed the wire or left a plugin. */
export function weightOf(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return SCALAR
  let weight = OBJECT
  for (const [key, inner] of Object.entries(value)) weight += key.length + weightOf(inner)
  return weight
}
