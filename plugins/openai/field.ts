/**
 * Reading a request whose shape nobody vouches for. Each reader answers the value in its type or throws `invalid_request`
 * with the field's own path (`messages[2].content`), so that whoever wrote the request can find the place. Clients of this
 * API send `null` for what they leave out, and so `null` means absent everywhere.
 */
import { wrongParam, type RpcError } from '@isopod/plugin-api'
import type { Json, JsonObject } from '@isopod/plugin-api'

export type Value = Json | undefined

export interface Range {
  readonly least?: number
  readonly most?: number
  readonly whole?: boolean
}

export function isAbsent(value: Value): value is null | undefined {
  return value === undefined || value === null
}

/** Reads a field that may be left out. */
export function optional<Read>(value: Value, path: string, read: (value: Value, path: string) => Read): Read | undefined {
  return isAbsent(value) ? undefined : read(value, path)
}

export function object(value: Value, path: string): JsonObject {
  if (isList(value) || typeof value !== 'object' || value === null) throw mistyped(value, path, 'an object')
  return value
}

export function list(value: Value, path: string): readonly Json[] {
  if (!isList(value)) throw mistyped(value, path, 'a list')
  return value
}

export function text(value: Value, path: string): string {
  if (typeof value !== 'string') throw mistyped(value, path, 'text')
  return value
}

/** A reader of texts of so many characters. */
export function bounded(most: number, least = 0): (value: Value, path: string) => string {
  return (value, path) => {
    const read = text(value, path)
    if (read.length < least || read.length > most) throw wrongParam(path, `must have ${least} to ${most} characters`)
    return read
  }
}

export function flag(value: Value, path: string): boolean {
  if (typeof value !== 'boolean') throw mistyped(value, path, 'true or false')
  return value
}

/** A reader of numbers within a range, both ends included. */
export function number({ least = -Infinity, most = Infinity, whole = false }: Range): (value: Value, path: string) => number {
  return (value, path) => {
    if (typeof value !== 'number') throw mistyped(value, path, 'a number')
    if (whole && !Number.isSafeInteger(value)) throw wrongParam(path, 'must be a whole number')
    if (!(value >= least && value <= most)) throw wrongParam(path, `must be ${bounds(least, most)}, not ${value}`)
    return value
  }
}

/** A reader of one of several words. */
export function oneOf<const Word extends string>(words: readonly Word[]): (value: Value, path: string) => Word {
  return (value, path) => {
    const given = text(value, path)
    const word = words.find((candidate) => candidate === given)
    if (word === undefined) throw wrongParam(path, words.length === 1 ? `must be ${words[0]}` : `must be one of ${words.join(', ')}`)
    return word
  }
}

/** The object without the properties that are undefined. */
export function present<Whole extends object>(parts: { readonly [Key in keyof Whole]: Whole[Key] | undefined }): Whole {
  // Only the undefined ones are left out, which an optional property may be.
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as Whole
}

/** Array.isArray knows only mutable arrays. */
export function isList(value: Value): value is readonly Json[] {
  return Array.isArray(value)
}

function mistyped(value: Value, path: string, wanted: string): RpcError {
  return wrongParam(path, value === undefined ? 'is required' : `must be ${wanted}, not ${kindOf(value)}`)
}

function kindOf(value: Json): string {
  if (value === null) return 'null'
  if (isList(value)) return 'a list'
  return { string: 'text', number: 'a number', boolean: 'a boolean' }[typeof value as string] ?? 'an object'
}

function bounds(least: number, most: number): string {
  if (most === Infinity) return `at least ${least}`
  return least === -Infinity ? `at most ${most}` : `between ${least} and ${most}`
}
