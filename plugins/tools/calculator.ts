/** `calculator`: arithmetic that is right, for models that are not. */
import type { TypedTool } from '@isopod/plugin-api'
import { evaluate, LONGEST } from './expression.ts'

const PARAMS = {
  type: 'object',
  required: ['expression'],
  additionalProperties: false,
  properties: { expression: { type: 'string', minLength: 1, maxLength: LONGEST } },
} as const

export const calculator: TypedTool<typeof PARAMS> = {
  name: 'calculator',
  description: 'Works out an expression of numbers, + - * / ^ and % (the remainder), parentheses, pi, e, and sqrt abs min max floor ceil '
    + 'ln log10 exp sin cos tan (radians) and round(x, digits). Use it for any arithmetic that must be right.',
  effects: [],
  params: PARAMS,
  handle({ expression }) {
    const exactly = evaluate(expression)
    const value = tidied(exactly)
    // Beyond 2^53 a whole number is the nearest one that there is, which whoever reads all of its digits should know.
    return Math.abs(value) > Number.MAX_SAFE_INTEGER ? { value, approximate: true } : { value }
  },
}

/** Fifteen digits are what a double holds of any decimal: 0.1 + 0.2 is 0.3 again. Whole numbers stay as they are, and -0 is 0. */
function tidied(value: number): number {
  return (Number.isInteger(value) ? value : Number(value.toPrecision(15))) + 0
}
