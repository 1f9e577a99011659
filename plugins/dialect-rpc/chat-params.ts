/**
 * A chat request as this dialect spells it: `{message, sessionKey?, options{thinking?, stream?, model?}}`. The options
 * move to where the gateway keeps them, and everything else passes through by its own name, so that what has no option
 * here (messages, client tools, sampling) can still be asked for.
 */
import { RpcError } from '@isopod/plugin-api'
import type { Json, JsonObject } from '@isopod/plugin-api'
import { isObject } from './shape.ts'

const THINKING: readonly Json[] = ['low', 'medium', 'high']

const OPTIONS = ['thinking', 'stream', 'model']

/** Throws `invalid_request` with the option's name where one is unknown or of the wrong type. */
export function chatParams(params: JsonObject): JsonObject {
  const { options, ...rest } = params
  return { channel: 'ws', ...rest, ...renamed(options, rest['sampling']) }
}

function renamed(options: Json | undefined, sampling: Json | undefined): JsonObject {
  if (options === undefined || options === null) return {}
  if (!isObject(options)) throw wrong('options', 'must be an object')
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name))
  if (unknown !== undefined) throw wrong(`options.${unknown}`, `is not known here; there are ${OPTIONS.join(', ')}`)
  return { ...modelAndStream(options), ...thinking(options['thinking'], sampling) }
}

function modelAndStream({ model, stream }: JsonObject): JsonObject {
  if (model !== undefined && typeof model !== 'string') throw wrong('options.model', 'must be text')
  if (stream !== undefined && typeof stream !== 'boolean') throw wrong('options.stream', 'must be true or false')
  return { ...(model !== undefined && { model }), ...(stream !== undefined && { stream }) }
}

function thinking(value: Json | undefined, sampling: Json | undefined): JsonObject {
  if (value === undefined) return {}
  if (!THINKING.includes(value)) throw wrong('options.thinking', 'must be low, medium or high')
  // Sampling of the wrong type is left as it is, for the method's own check to name.
  if (sampling !== undefined && !isObject(sampling)) return {}
  return { sampling: { ...sampling, thinking: value } }
}

function wrong(param: string, problem: string): RpcError {
  return new RpcError('invalid_request', `${param} ${problem}`, { param })
}
