/**
 * A chat in the two spellings this dialect takes: a method's params with their `options`, and a typed message's text with its
 * `context`. Both become the params of one method. Nobody here hears deltas, so none are asked for.
 */
import { isObject, wrongParam } from '@isopod/plugin-api'
import type { Json, JsonObject } from '@isopod/plugin-api'

type Check = { readonly fits: (value: Json) => boolean; readonly asked: string }

const TEXT: Check = { fits: (value) => typeof value === 'string', asked: 'must be text' }
const FLAG: Check = { fits: (value) => typeof value === 'boolean', asked: 'must be true or false' }

/** A method's own params, with what this socket adds to them. */
export function byName(params: JsonObject, conversation: Json): JsonObject {
  return { channel: 'ws', ...keyed(conversation), stream: false, ...params }
}

/** `{text, context?, options{model?, no_memory?}}`. The context is kept beside the message, and may name the session. */
export function byText(payload: JsonObject, conversation: Json): JsonObject {
  const { text, context = {}, options } = payload
  if (typeof text !== 'string' || text === '') throw wrongParam('payload.text', 'must be text, and not empty')
  if (!isObject(context)) throw wrongParam('payload.context', 'must be an object')
  const { model, no_memory: noMemory } = checked(options, 'payload.options', { model: TEXT, no_memory: FLAG })
  const named = context['sessionKey'] ?? context['conversation_id'] ?? conversation
  if (named !== conversation && typeof named !== 'string') throw wrongParam('payload.context', 'must name its session by text')
  const texts = Object.entries(context).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)])
  // Whatever remembers beyond the conversation passes over a message that is marked.
  const metadata = Object.fromEntries([...texts, ...(noMemory === true ? [['no_memory', 'true']] : [])]) as JsonObject
  return {
    message: text,
    channel: 'ws',
    stream: false,
    ...keyed(named),
    ...(model !== undefined && { model }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  }
}

/** The options, each of its type. Throws `invalid_request` with the name of one that is not, or is unknown. */
function checked(options: Json | undefined, place: string, known: Readonly<Record<string, Check>>): JsonObject {
  if (options === undefined || options === null) return {}
  if (!isObject(options)) throw wrongParam(place, 'must be an object')
  for (const [name, value = null] of Object.entries(options)) {
    const check = Object.hasOwn(known, name) ? known[name] : undefined
    if (!check) throw wrongParam(`${place}.${name}`, `is not known here; there are ${Object.keys(known).join(', ')}`)
    if (!check.fits(value)) throw wrongParam(`${place}.${name}`, check.asked)
  }
  return options
}

function keyed(conversation: Json): JsonObject {
  return typeof conversation === 'string' ? { sessionKey: conversation } : {}
}
