/**
 * Arithmetic written as text, read by recursive descent and worked out on the way. Nothing in it is ever run as code. From
 * loose to tight: + -, * / %, a sign, ^ (which begins from the right, so that -2^2 is -4 and 2^3^2 is 512).
 */
import { RpcError } from '@isopod/plugin-api'
import { CONSTANTS, FUNCTIONS } from './function-table.ts'

/** Characters of an expression, and how deep it may nest: far more than a person writes, far less than the stack holds. */
export const LONGEST = 1_000
const DEEPEST = 64

/** The value. Throws `invalid_request` and says what is wrong, and where it can be told. */
export function evaluate(expression: string): number {
  return new Reader(expression).all()
}

class Reader {
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(expression: string) {
    // Signs that people and models type for these; each is one character, so places stay what they are.
    this.#text = expression.replaceAll(/[×·]/g, '*').replaceAll('÷', '/').replaceAll('−', '-')
  }

  all(): number {
    const value = this.#sum()
    const rest = this.#peek()
    if (rest !== undefined) throw this.#unexpected('an operator or the end')
    return value
  }

  #sum(): number {
    let value = this.#product()
    for (;;) {
      if (this.#take('+')) value = finite(value + this.#product())
      else if (this.#take('-')) value = finite(value - this.#product())
      else return value
    }
  }

  #product(): number {
    let value = this.#signed()
    for (;;) {
      if (this.#take('*')) value = finite(value * this.#signed())
      else if (this.#take('/')) value = finite(value / this.#divisor())
      else if (this.#take('%')) value = finite(value % this.#divisor())
      else return value
    }
  }

  #divisor(): number {
    const value = this.#signed()
    if (value === 0) throw wrong('Division by zero')
    return value
  }

  /** Every way to nest leads through here, so the depth is counted here. */
  #signed(): number {
    if (++this.#depth > DEEPEST) throw wrong(`The expression nests deeper than ${DEEPEST} levels`)
    const value = this.#take('-') ? -this.#signed() : this.#take('+') ? this.#signed() : this.#power()
    this.#depth--
    return value
  }

  #power(): number {
    const base = this.#atom()
    if (!this.#take('**') && !this.#take('^')) return base
    const exponent = this.#signed()
    if (base === 0 && exponent < 0) throw wrong('Division by zero')
    return finite(base ** exponent)
  }

  #atom(): number {
    if (this.#take('(')) return this.#closed(this.#sum())
    const digits = this.#match(/(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y)
    if (digits !== undefined) return finite(Number(digits))
    const name = this.#match(/[a-zA-Z_][a-zA-Z_0-9]*/y)
    if (name === undefined) throw this.#unexpected('a number')
    return this.#named(name.toLowerCase())
  }

  #named(name: string): number {
    const constant = CONSTANTS.get(name)
    if (constant !== undefined) return constant
    const known = FUNCTIONS.get(name)
    if (!known) throw wrong(`There is no ${name} here; there are ${[...CONSTANTS.keys(), ...FUNCTIONS.keys()].join(', ')}`)
    if (!this.#take('(')) throw this.#unexpected(`a parenthesis after ${name}`)
    const args = [this.#sum()]
    while (this.#take(',')) args.push(this.#sum())
    this.#closed(0)
    if (args.length < known.least || args.length > known.most) throw wrong(`${name} does not take ${args.length} values`)
    return finite(known.apply(...args))
  }

  #closed(value: number): number {
    if (!this.#take(')')) throw this.#unexpected('a closing parenthesis')
    return value
  }

  /** The next character that is no space; undefined at the end. */
  #peek(): string | undefined {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++
    return this.#text[this.#at]
  }

  #take(sign: string): boolean {
    this.#peek()
    if (!this.#text.startsWith(sign, this.#at)) return false
    this.#at += sign.length
    return true
  }

  #match(pattern: RegExp): string | undefined {
    this.#peek()
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    this.#at += found?.length ?? 0
    return found
  }

  #unexpected(wanted: string): RpcError {
    const found = this.#peek()
    if (found === undefined) return wrong(`The expression ends where ${wanted} should be`)
    return wrong(`Expected ${wanted} at character ${this.#at + 1}, found "${found}"`)
  }
}

function finite(value: number): number {
  if (Number.isNaN(value)) throw wrong('The result is not a real number')
  if (!Number.isFinite(value)) throw wrong('The result is too large: numbers go up to about 1.8e308')
  return value
}

function wrong(message: string): RpcError {
  return new RpcError('invalid_request', message, { param: 'expression' })
}
