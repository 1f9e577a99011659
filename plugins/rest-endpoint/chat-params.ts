/**
 * A chat request as the rpc dialect spells it: `options {thinking, stream, model}` move to where the gateway keeps them, and
 * everything else passes by its own name. `stream` says whether events are told, which nobody hears here.
 */
import { RpcError, type Json, type JsonObject } from '@isopod/plugin-api'

const THINKING: readonly Json[] = ['low', 'medium', 'high']
const OPTIONS = ['thinking', 'stream', 'model']

/** Throws `invalid_request` with the option's name where one is unknown or of the wrong type. */
export function chatParams({ options, ...rest }: JsonObject): JsonObject {
  const { thinking, ...plain } = optionsOf(options)
  return { channel: 'api', ...rest, ...plain, ...(thinking !== undefined && samplingWith(thinking, rest['sampling'])) }
}

/** Sampling of the wrong type is left as it is, for the method's own check to name. */
function samplingWith(thinking: Json, sampling: Json | undefined): JsonObject {
  if (sampling === undefined || sampling === null) return { sampling: { thinking } }
  return isObject(sampling) ? { sampling: { ...sampling, thinking } } : {}
}

function optionsOf(options: Json | undefined): JsonObject {
  if (options === undefined || options === null) return {}
  if (!isObject(options)) throw wrong('options', 'must be an object')
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name))
  if (unknown !== undefined) throw wrong(`options.${unknown}`, `is not known here; there are ${OPTIONS.join(', ')}`)
  const { thinking, stream, model } = options
  if (thinking !== undefined && !THINKING.includes(thinking)) throw wrong('options.thinking', 'must be low, medium or high')
  if (stream !== undefined && typeof stream !== 'boolean') throw wrong('options.stream', 'must be true or false')
  if (model !== undefined && typeof model !== 'string') throw wrong('options.model', 'must be text')
  return options
}

function wrong(param: string, problem: string): RpcError {
  return new RpcError('invalid_request', `${param} ${problem}`, { param })
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
