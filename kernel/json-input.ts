/** JSON from outside: parsed, bounded in depth, and frozen, so that no handler can tell it from a copy. */
import { JSON_DEPTH, RpcError, type Json, type JsonObject } from '@isopod/plugin-api'

/** From here on the depth is looked at first: parsing ten million brackets takes seconds, in which nobody else is served. */
const LONG_CHARACTERS = 64 * 1024
const [QUOTE, BACKSLASH] = [0x22, 0x5c]
/** What opens and closes a level, by character code: `[ { ] }`. */
const LEVELS: ReadonlyMap<number, number> = new Map([[0x5b, 1], [0x7b, 1], [0x5d, -1], [0x7d, -1]])

/**
 * The value of a JSON text.
 * @throws RpcError `invalid_request` where it is none, or is nested too deep.
 */
export function parseJson(text: string): Json {
  const value = parsed(text)
  if (isHolder(value)) freeze(value, 0)
  return value
}

/**
 * As `parseJson`, but what holds all the rest stays as it is: for one who takes it apart at once and throws it away. To freeze
 * a small object costs a quarter of what it costs to parse it.
 * @throws RpcError as `parseJson` does.
 */
export function parseParts(text: string): Json {
  const value = parsed(text)
  if (isHolder(value)) freezeParts(value, 0)
  return value
}

function parsed(text: string): Json {
  if (text.length > LONG_CHARACTERS) checkNesting(text)
  try {
    return JSON.parse(text) as Json
  } catch (cause) {
    throw new RpcError('invalid_request', `This is not JSON: ${(cause as Error).message}`, { cause })
  }
}

function checkNesting(text: string): void {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at)
    else if (code >= 0x5b) depth += LEVELS.get(code) ?? 0
    if (depth > JSON_DEPTH) throw tooDeep()
  }
}

/** Where the string that begins at `start` ends; the end of the text where it never does. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let escapes = 0
    while (text.charCodeAt(at - 1 - escapes) === BACKSLASH) escapes += 1
    if (escapes % 2 === 0) return at
  }
  return text.length
}

function tooDeep(): RpcError {
  return new RpcError('invalid_request', `The JSON is nested deeper than ${JSON_DEPTH} levels`)
}

/** A value that holds others. */
type Holder = readonly Json[] | JsonObject

function isHolder(value: Json | undefined): value is Holder {
  return typeof value === 'object' && value !== null
}

function freeze(value: Holder, depth: number): void {
  freezeParts(value, depth)
  Object.freeze(value)
}

function freezeParts(value: Holder, depth: number): void {
  if (depth >= JSON_DEPTH) throw tooDeep()
  if (Array.isArray(value)) for (const part of value) freezePart(part, depth)
  // `Object.values` would make a list of them first, and what was parsed inherits nothing that could be met here.
  // A cast, since what `isArray` denies is not known to the compiler to be no readonly list.
  else for (const name in value as JsonObject) freezePart((value as JsonObject)[name], depth)
}

function freezePart(part: Json | undefined, depth: number): void {
  if (isHolder(part)) freeze(part, depth + 1)
}
