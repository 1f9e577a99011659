/** How the model is to choose its words. Ranges are those the API documents; what a provider cannot do it leaves out itself. */
import { wrongParam } from '@isopod/plugin-api'
import type { JsonObject, Sampling } from '@isopod/plugin-api'
import { bounded, isList, number, object, oneOf, optional, present, type Value } from './field.ts'

/** Sequences that end the answer: four by the document, more by what local servers take. */
const STOPS = 16
const STOP = bounded(256, 1)

const PENALTY = number({ least: -2, most: 2 })
const COUNT = number({ least: 1, whole: true })

const THINKING = { none: undefined, minimal: 'low', low: 'low', medium: 'medium', high: 'high', xhigh: 'high' } as const
// The keys of a literal are exactly its own.
const EFFORTS = Object.keys(THINKING) as readonly (keyof typeof THINKING)[]

/** The request's sampling, or undefined where it says nothing of it. */
export function samplingOf(body: JsonObject): Sampling | undefined {
  const sampling = present<Sampling>({
    temperature: optional(body['temperature'], 'temperature', number({ least: 0, most: 2 })),
    topP: optional(body['top_p'], 'top_p', number({ least: 0, most: 1 })),
    maxTokens: maxTokens(body),
    stop: optional(body['stop'], 'stop', stops),
    seed: optional(body['seed'], 'seed', number({ whole: true })),
    presencePenalty: optional(body['presence_penalty'], 'presence_penalty', PENALTY),
    frequencyPenalty: optional(body['frequency_penalty'], 'frequency_penalty', PENALTY),
    thinking: optional(body['reasoning_effort'], 'reasoning_effort', thinking),
    json: optional(body['response_format'], 'response_format', format),
  })
  return Object.keys(sampling).length > 0 ? sampling : undefined
}

/** Two names for one number; the newer wins, and each is checked. */
function maxTokens(body: JsonObject): number | undefined {
  const older = optional(body['max_tokens'], 'max_tokens', COUNT)
  return optional(body['max_completion_tokens'], 'max_completion_tokens', COUNT) ?? older
}

function stops(value: Value, path: string): readonly string[] {
  if (!isList(value)) return [STOP(value, path)]
  if (value.length > STOPS) throw wrongParam(path, `may have up to ${STOPS} sequences`)
  return value.map((item, index) => STOP(item, `${path}[${index}]`))
}

function thinking(value: Value, path: string): Sampling['thinking'] {
  return THINKING[oneOf(EFFORTS)(value, path)]
}

function format(value: Value, path: string): Sampling['json'] {
  const given = object(value, path)
  const type = oneOf(['text', 'json_object', 'json_schema'])(given['type'], `${path}.type`)
  if (type === 'text') return undefined
  return type === 'json_object' ? {} : schemaOf(given['json_schema'], `${path}.json_schema`)
}

function schemaOf(value: Value, path: string): NonNullable<Sampling['json']> {
  const given = object(value, path)
  return present<NonNullable<Sampling['json']>>({
    name: optional(given['name'], `${path}.name`, bounded(64, 1)),
    schema: optional(given['schema'], `${path}.schema`, object),
  })
}
