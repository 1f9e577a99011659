/**
 * What a refusal has to look like, for each family of URLs and each dialect, written down once more and not taken from the
 * gateway: its own tables are among what is fuzzed. Answers a sentence about what is wrong, or nothing.
 */

/** The columns of WIRE section 3 that are on the wire; `internal` is in none of them, since no input may lead there. */
const CODES = [
  'invalid_request', 'unauthorized', 'forbidden', 'not_found', 'method_not_found', 'timeout', 'cancelled', 'conflict', 'payload_too_large', 'rate_limited', 'budget_exceeded', 'service_unavailable',
]
const UPPER_CODES = [...CODES.map((code) => code.toUpperCase()), 'AUTH_REQUIRED']

/** Words of the engine: a person cannot act on them, and they tell of the code. */
const OF_THE_ENGINE = /TypeError|RangeError|Cannot read propert|is not a function|is not iterable|Maximum call stack|node_modules|\.ts:\d+|\n\s+at /

type Fields = Readonly<Record<string, unknown>>

interface Family {
  readonly under: readonly string[]
  readonly wrong: (body: Fields, status: number) => string | undefined
}

const nested = (codes: readonly string[]) => ({ ok, error }: Fields): string | undefined => {
  if (ok !== false || !isFields(error)) return 'it is not {"ok":false,"error":{...}}'
  const { message, type, code } = error
  if (typeof type !== 'string' || !codes.includes(String(code))) return `type ${String(type)}, code ${String(code)}`
  return wrongSentence(message)
}

const flat: Family['wrong'] = ({ error, message, status: said, details }, status) => {
  if (![...CODES, 'bad_request'].includes(String(error))) return `error ${String(error)}`
  if (said !== status || !isFields(details)) return 'it has not the status it was sent with, or no details'
  return wrongSentence(message)
}

/** WIRE section 5, "error body"; the first that fits. */
const FAMILIES: readonly Family[] = [
  { under: ['/api/v1'], wrong: flat },
  { under: ['/api/endpoint', '/api/rpc'], wrong: nested(UPPER_CODES) },
  { under: [''], wrong: nested(CODES) },
]

/** What is wrong with the body of an HTTP refusal. */
export function wrongRefusal(path: string, status: number, body: unknown): string | undefined {
  if (!isFields(body)) return 'its body is no JSON object'
  return FAMILIES.find(({ under }) => under.some((prefix) => path === prefix || path.startsWith(`${prefix}/`)))?.wrong(body, status)
}

/** What is wrong with a frame from the gateway, where it is a refusal in any dialect. */
export function wrongFrame(frame: unknown): string | undefined {
  if (!isFields(frame)) return 'it is no JSON object'
  const { type, ok, payload, error } = frame
  const refusal = type === 'error' ? payload : ok === false ? error : undefined
  if (refusal === undefined) return undefined
  if (!isFields(refusal)) return 'it refuses without a code'
  // The native protocol has codes of its own.
  const isKnown = type === 'res' ? /^(?!INTERNAL)[A-Z_]+$/.test(String(refusal['code'])) : UPPER_CODES.includes(String(refusal['code']))
  if (!isKnown) return `its code is ${String(refusal['code'])}`
  return wrongSentence(refusal['message'])
}

function wrongSentence(message: unknown): string | undefined {
  if (typeof message !== 'string' || message === '') return 'it says nothing'
  return OF_THE_ENGINE.test(message) ? `it says ${message}` : undefined
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
