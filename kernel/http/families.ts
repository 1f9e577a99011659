/**
 * Families of URLs, each with its own shape for what goes wrong: a refusal is one thing, and here is how it is spelled
 * (WIRE sections 3 and 5). The family is found from the URL alone, so that one nobody serves is refused in its family's
 * words too.
 */
import { isObject } from '@isopod/plugin-api'
import type { Json, Refusal, RefusalCode, Schema } from '@isopod/plugin-api'

/** A refusal on HTTP. */
export interface Spelled {
  readonly status: number
  readonly body: Json
}

interface Spelling {
  readonly status: number
  readonly code: string
  readonly type: string
}

/** WIRE section 3, "Refusals, spelled": the columns HTTP, code and type. */
const SPELLINGS: Readonly<Record<RefusalCode, Spelling>> = {
  invalid_request: { status: 400, code: 'invalid_request', type: 'invalid_request_error' },
  unauthorized: { status: 401, code: 'unauthorized', type: 'authentication_error' },
  forbidden: { status: 403, code: 'forbidden', type: 'permission_error' },
  not_found: { status: 404, code: 'not_found', type: 'not_found_error' },
  method_not_found: { status: 404, code: 'not_found', type: 'not_found_error' },
  timeout: { status: 504, code: 'timeout', type: 'api_error' },
  cancelled: { status: 409, code: 'cancelled', type: 'invalid_request_error' },
  conflict: { status: 409, code: 'conflict', type: 'invalid_request_error' },
  payload_too_large: { status: 413, code: 'payload_too_large', type: 'invalid_request_error' },
  rate_limited: { status: 429, code: 'rate_limited', type: 'rate_limited' },
  budget_exceeded: { status: 429, code: 'budget_exceeded', type: 'rate_limited' },
  internal: { status: 500, code: 'internal_error', type: 'api_error' },
  unavailable: { status: 503, code: 'service_unavailable', type: 'api_error' },
}

type Spell = (refusal: Refusal, spelling: Spelling, status: number) => Json

/** S0's, S2's and S4's shapes in one (WIRE section 5, "error body"). */
const standard: Spell = ({ message, param, details }, { type, code }) => ({
  ok: false,
  error: { message, type, code, ...(param !== undefined && { param }), ...(details !== undefined && { details: details as Json }) },
})

/** S2's own routes say only whose fault it was. */
const lesson: Spell = (refusal, spelling, status) => {
  const named = status === 401 || status === 429
  const type = status >= 500 ? 'server_error' : named ? spelling.type : 'client_error'
  return standard(refusal, { ...spelling, type }, status)
}

/** S0's own two routes call methods by name, and spell codes as its sockets do. */
const overview: Spell = (refusal, spelling, status) => {
  // An unknown method has a code of its own here, and shares a spelling with what is not found everywhere else.
  const code = refusal.code === 'method_not_found' ? refusal.code : spelling.code
  return standard(refusal, { ...spelling, code: code.toUpperCase() }, status)
}

/** S1's flat shape. */
const flat: Spell = ({ code, message, param, details }, spelling, status) => ({
  error: code === 'invalid_request' ? 'bad_request' : spelling.code,
  message,
  status,
  details: { ...(param !== undefined && { param }), ...(isObject(details) && details) },
})

const TEXT = { type: 'string' } as const

/** The body that most families answer a refusal with. */
const STANDARD_ERROR: Schema = {
  type: 'object',
  required: ['ok', 'error'],
  properties: {
    ok: { const: false },
    error: {
      type: 'object',
      required: ['message', 'type', 'code'],
      properties: { message: TEXT, type: TEXT, code: TEXT, param: { ...TEXT, description: 'What was wrong.' }, details: {} },
    },
  },
}

const FLAT_ERROR: Schema = {
  type: 'object',
  required: ['error', 'message', 'status', 'details'],
  properties: { error: TEXT, message: TEXT, status: { type: 'integer' }, details: { type: 'object' } },
}

interface Family {
  /** Names its error in the description of the API. */
  readonly error: keyof typeof ERRORS
  readonly prefixes: readonly string[]
  readonly spell: Spell
  /** Statuses that differ from the table's. */
  readonly statuses?: Readonly<Partial<Record<RefusalCode, number>>>
}

const ERRORS = { Error: STANDARD_ERROR, FlatError: FLAT_ERROR } as const

/** The first family that fits decides. */
const FAMILIES: readonly Family[] = [
  { error: 'FlatError', prefixes: ['/api/v1'], spell: flat, statuses: { timeout: 408 } },
  { error: 'Error', prefixes: ['/api/endpoint', '/api/rpc'], spell: overview },
  { error: 'Error', prefixes: ['/status', '/v1/agent', '/v1/sessions', '/v1/channels', '/v1/browser'], spell: lesson },
]
const STANDARD: Family = { error: 'Error', prefixes: [], spell: standard }

/** How a refusal is answered under a path. `status` is given where HTTP knows better than the code: 405, 415, 421. */
export function spell(refusal: Refusal, path: string, status?: number): Spelled {
  const family = familyOf(path)
  const spelling = SPELLINGS[refusal.code]
  const shown = status ?? family.statuses?.[refusal.code] ?? spelling.status
  return { status: shown, body: family.spell(refusal, spelling, shown) }
}

/** The shapes of refusals, by the names that `errorSchemaOf` refers to. */
export function errorSchemas(): Readonly<Record<string, Schema>> {
  return ERRORS
}

/** The shape of a refusal under a path, as OpenAPI refers to it. */
export function errorSchemaOf(path: string): Schema {
  return { $ref: `#/components/schemas/${familyOf(path).error}` }
}

function familyOf(path: string): Family {
  const isUnder = (prefix: string) => path === prefix || path.startsWith(`${prefix}/`)
  return FAMILIES.find(({ prefixes }) => prefixes.some(isUnder)) ?? STANDARD
}
