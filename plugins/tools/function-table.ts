/** What an expression may name. Whatever stands in neither table does not exist for it. */
import { RpcError } from '@isopod/plugin-api'

export interface Known {
  readonly least: number
  readonly most: number
  readonly apply: (...args: number[]) => number
}

export const CONSTANTS: ReadonlyMap<string, number> = new Map([
  ['pi', Math.PI],
  ['e', Math.E],
])

export const FUNCTIONS: ReadonlyMap<string, Known> = new Map<string, Known>([
  ['sqrt', of((value) => (value < 0 ? outside('sqrt', 'a number below zero') : Math.sqrt(value)))],
  ['abs', of(Math.abs)],
  ['min', { least: 1, most: Infinity, apply: Math.min }],
  ['max', { least: 1, most: Infinity, apply: Math.max }],
  ['round', { least: 1, most: 2, apply: round }],
  ['floor', of(Math.floor)],
  ['ceil', of(Math.ceil)],
  ['ln', of((value) => (value <= 0 ? outside('ln', 'zero or less') : Math.log(value)))],
  ['log10', of((value) => (value <= 0 ? outside('log10', 'zero or less') : Math.log10(value)))],
  ['exp', of(Math.exp)],
  ['sin', of(Math.sin)],
  ['cos', of(Math.cos)],
  ['tan', of(Math.tan)],
])

function of(apply: (value: number) => number): Known {
  return { least: 1, most: 1, apply: (value = Number.NaN) => apply(value) }
}

/** Half goes away from zero, as people round; the text in between keeps 1.005 from becoming 1. */
function round(value = Number.NaN, digits = 0): number {
  if (!Number.isInteger(digits) || digits < 0 || digits > 15) throw refused('round takes 0 to 15 digits')
  const shifted = Math.round(shift(Math.abs(value), digits))
  return Number.isFinite(shifted) ? Math.sign(value) * shift(shifted, -digits) : value
}

function shift(value: number, places: number): number {
  const [digits = '', exponent = '0'] = String(value).split('e')
  return Number(`${digits}e${Number(exponent) + places}`)
}

function outside(name: string, what: string): never {
  throw refused(`${name} of ${what} is not a real number`)
}

function refused(message: string): RpcError {
  return new RpcError('invalid_request', message, { param: 'expression' })
}
