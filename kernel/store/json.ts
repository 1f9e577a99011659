/**
 * From values to JSON text, without loss in silence: what JSON would drop or bend (a Date, a Map, NaN, a function) is
 * refused with the path to it, so that the mistake is found where it was made and not when the value is read back.
 */
import { RpcError } from '@isopod/plugin-api'
import { JSON_DEPTH } from '../limits.ts'

/** The text of a value. Throws `invalid_request` that names the path of what is no JSON. An undefined property is left out. */
export function encode(value: unknown, place: string): string {
  check(value, place, 0)
  return JSON.stringify(value)
}

function check(value: unknown, path: string, depth: number): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : refuse(path, `${value} has no spelling in JSON`)
  if (typeof value !== 'object') return refuse(path, `${article(typeof value)} is not JSON`)
  if (depth >= JSON_DEPTH) return refuse(path, `it is nested deeper than ${JSON_DEPTH} levels, or contains itself`)
  if (Array.isArray(value)) return checkArray(value, path, depth)
  checkObject(value, path, depth)
}

/** By number, so that a hole is met as what it is. */
function checkArray(values: readonly unknown[], path: string, depth: number): void {
  for (let at = 0; at < values.length; at++) check(values[at], `${path}[${at}]`, depth + 1)
}

function checkObject(value: object, path: string, depth: number): void {
  const prototype: unknown = Object.getPrototypeOf(value)
  // An object from another realm has another `Object.prototype`, but that one ends the chain as well.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
    return refuse(path, `${article(value.constructor?.name ?? 'object')} is not JSON: give a plain object, an array or a text`)
  for (const [key, inner] of Object.entries(value)) if (inner !== undefined) check(inner, `${path}${step(key)}`, depth + 1)
}

function step(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
}

function article(name: string): string {
  if (name === 'undefined') return name
  return `${/^[aeiou]/i.test(name) ? 'an' : 'a'} ${name}`
}

function refuse(path: string, why: string): never {
  throw new RpcError('invalid_request', `${path}: ${why}`, { param: path })
}
