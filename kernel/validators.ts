/**
 * Schemas made into checks. A schema is compiled at its first use (200 of them cost 189 ms to compile at once and 2.7 ms
 * to check) and kept by its identity, so that a new generation compiles only what is new in it.
 */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import type { Refusal, Schema } from '@isopod/plugin-api'

/** Compiled checks of one kind, by the schema they were made of. */
class Compiled {
  readonly #ajv: Ajv2020
  readonly #checks = new WeakMap<object, ValidateFunction>()

  constructor(allErrors: boolean) {
    // V8 does again what ajv's own pass over its code does; the checks are as quick without, and compiling them takes a third.
    const code = { optimize: false }
    this.#ajv = new Ajv2020({ strict: true, allowUnionTypes: true, strictRequired: false, strictTuples: false, allErrors, code })
    // Marks a config field as a secret; it checks nothing itself.
    this.#ajv.addKeyword({ keyword: 'secret', schemaType: 'boolean' })
  }

  of(schema: object): ValidateFunction {
    return this.#checks.get(schema) ?? this.#compile(schema)
  }

  #compile(schema: object): ValidateFunction {
    // Its check would answer a promise, which reads as yes, and reject it where nobody waits.
    if ('$async' in schema) throw new Error('schema is invalid: $async is not supported')
    try {
      const validate = this.#ajv.compile(schema)
      this.#checks.set(schema, validate)
      return validate
    } finally {
      // Kept here by identity; ajv's own cache would hold every schema of every generation for good.
      this.#ajv.removeSchema(schema)
    }
  }
}

/** Stops at the first thing wrong: what comes from outside must not cost more the more is wrong with it. */
const quick = new Compiled(false)
/** Finds everything, for what an author or the owner wrote. */
const thorough = new Compiled(true)

/**
 * Checks a value.
 * @returns undefined where it fits, else an `invalid_request` that names the first field that does not.
 * @throws Error where the schema itself is none.
 */
export function check(schema: Schema | undefined, value: unknown): Refusal | undefined {
  if (schema === undefined || schema === true) return undefined
  if (schema === false) return { code: 'invalid_request', message: 'Nothing fits here' }
  const validate = quick.of(schema)
  return validate(value) ? undefined : refusalFrom(validate.errors?.[0])
}

/** All that is wrong with a value, as sentences. */
export function complaints(schema: Schema, value: unknown): string[] {
  if (typeof schema === 'boolean') return []
  const validate = thorough.of(schema)
  return validate(value) ? [] : (validate.errors ?? []).map((error) => refusalFrom(error).message)
}

function refusalFrom(error: ErrorObject | undefined): Refusal {
  const param = fieldOf(error)
  const problem = problemOf(error)
  return { code: 'invalid_request', message: param ? `${param}: ${problem}` : `The parameters ${problem}`, ...(param && { param }) }
}

/** `/messages/0/role` with a missing property becomes `messages[0].role.property`. */
function fieldOf(error: ErrorObject | undefined): string {
  if (!error) return ''
  const parts = error.instancePath.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const { missingProperty, additionalProperty } = error.params as { missingProperty?: string; additionalProperty?: string }
  const last = missingProperty ?? additionalProperty
  if (last !== undefined) parts.push(last)
  return parts.map((part, index) => (/^\d+$/.test(part) ? `[${part}]` : index === 0 ? part : `.${part}`)).join('')
}

function problemOf(error: ErrorObject | undefined): string {
  if (!error) return 'do not fit'
  if (error.keyword === 'required') return 'is required'
  if (error.keyword === 'additionalProperties') return 'is not known here'
  if (error.keyword === 'enum') {
    const { allowedValues } = error.params as { allowedValues: unknown[] }
    return `must be one of ${allowedValues.map((one) => JSON.stringify(one)).join(', ')}`
  }
  return error.message ?? 'does not fit'
}
