/**
 * A chat as this dialect spells it: `{text, context?, options{model?, no_memory?}}`. The context is the client's own and is
 * kept beside the message; only where it names a session does the gateway read it, because the dialect has no other word for
 * one. No deltas are asked for: there is no message that could carry them.
 */
import { isObject, RpcError } from '@isopod/plugin-api'
import type { Json, JsonObject } from '@isopod/plugin-api'

/** How the other documents name a session; the first that is there counts. */
const SESSION_NAMES = ['sessionKey', 'conversation_id']

/** Throws `invalid_request` with the field's name where one is unknown or of the wrong type. */
export function chatParams({ text, context = {}, options = {}, ...rest }: JsonObject, conversation: Json): JsonObject {
  if (typeof text !== 'string' || text === '') throw wrong('text', 'must be text, and not empty')
  if (!isObject(context)) throw wrong('context', 'must be an object')
  if (!isObject(options)) throw wrong('options', 'must be an object')
  refuseUnknown(rest, '', 'text, context, options')
  const session = sessionIn(context) ?? conversation
  const metadata = { ...asTexts(context), ...remembering(options['no_memory']) }
  return {
    message: text,
    channel: 'ws',
    stream: false,
    ...(typeof session === 'string' && { sessionKey: session }),
    ...modelIn(options),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  }
}

function sessionIn(context: JsonObject): Json | undefined {
  const name = SESSION_NAMES.find((one) => context[one] !== undefined)
  if (name === undefined) return undefined
  if (typeof context[name] !== 'string') throw wrong(`context.${name}`, 'must be text, the key of a session')
  return context[name]
}

function modelIn({ model, no_memory: _, ...rest }: JsonObject): JsonObject {
  refuseUnknown(rest, 'options.', 'model, no_memory')
  if (model !== undefined && typeof model !== 'string') throw wrong('options.model', 'must be text')
  return model === undefined ? {} : { model }
}

/** Kept with the message itself, so that whatever remembers beyond the conversation knows to pass it over, now or later. */
function remembering(noMemory: Json | undefined): JsonObject {
  if (noMemory !== undefined && typeof noMemory !== 'boolean') throw wrong('options.no_memory', 'must be true or false')
  return noMemory === true ? { no_memory: 'true' } : {}
}

/** What is kept beside a message is text: anything else becomes its JSON. */
function asTexts(context: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(context).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]))
}

function refuseUnknown(rest: JsonObject, place: string, known: string): void {
  const [name] = Object.keys(rest)
  if (name !== undefined) throw wrong(`${place}${name}`, `is not known here; there are ${known}`)
}

function wrong(field: string, problem: string): RpcError {
  return new RpcError('invalid_request', `payload.${field} ${problem}`, { param: `payload.${field}` })
}
