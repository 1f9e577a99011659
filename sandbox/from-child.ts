/**
 * Reads what a child says, and believes none of it: every field is looked at before anybody uses it. What is no message of
 * the protocol is told as undefined, and costs the child its life. It says nothing of whether a message makes sense now.
 */
import {
  EFFECTS,
  isObject,
  REFUSALS,
  SCOPES,
  type Declared,
  type Json,
  type JsonObject,
  type Refusal,
  type RouteDescription,
} from '@isopod/plugin-api'
import type { FromChild } from './messages.ts'

type Check = (value: Json | undefined) => boolean
type Shape = Readonly<Record<string, Check>>

/** The longest message of a refusal, and the longest line, that is passed on; in characters. */
const SENTENCE = 8_192

const text: Check = (value) => typeof value === 'string'
const sentence: Check = (value) => typeof value === 'string' && value.length <= SENTENCE
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 1
const flag: Check = (value) => typeof value === 'boolean'
const duration: Check = (value) => Number.isFinite(value) && (value as number) >= 0
const json: Check = (value) => value !== undefined
const schema: Check = (value) => typeof value === 'boolean' || isObject(value)
const list: Check = (value) => Array.isArray(value)
const oneOf = (names: readonly string[]): Check => (value) => typeof value === 'string' && names.includes(value)
const optional = (check: Check): Check => (value) => value === undefined || check(value)
const listOf = (check: Check): Check => (value) => Array.isArray(value) && value.every((item: Json) => check(item))
const shaped = (shape: Shape): Check => (value) => isObject(value) && fits(value, shape)

const refusal = shaped({
  code: oneOf(REFUSALS),
  message: sentence,
  param: optional(text),
  retryable: optional(flag),
  retryAfterSeconds: optional(duration),
  details: optional(json),
} satisfies Record<keyof Refusal, Check>)

const bug = shaped({ name: sentence, message: sentence, stack: optional(sentence) })

const opening = shaped({ has: optional(text), lacks: optional(listOf(text)), types: optional(listOf(text)), otherThan: optional(listOf(text)) })

const byStatus: Check = (value) => isObject(value) && Object.entries(value).every(([status, body]) => /^[1-5]\d\d$/.test(status) && schema(body))

const described = shaped({
  summary: optional(sentence),
  body: optional(schema),
  query: optional(schema),
  reply: optional(schema),
  status: optional(count),
  otherReplies: optional(byStatus),
  streams: optional(oneOf(['always', 'accepted'])),
} satisfies Record<keyof RouteDescription, Check>)

/** The fields of whatever may be declared. */
const DECLARABLE = {
  methods: {
    name: text,
    description: optional(text),
    scope: oneOf([...SCOPES, 'public']),
    internal: optional(flag),
    streams: optional(flag),
    deadlineMs: optional(duration),
    params: optional(schema),
    result: optional(schema),
  },
  routes: {
    verb: oneOf(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
    path: text,
    call: text,
    auth: optional(oneOf(['token', 'public', 'own'])),
    body: optional(oneOf(['json', 'text'])),
    mount: optional(text),
    maxBody: optional(text),
    describe: optional(described),
    decodes: flag,
    encodes: flag,
  },
  dialects: { name: text, subprotocols: optional(listOf(text)), paths: optional(listOf(text)), openings: optional(listOf(opening)) },
  tools: { name: text, description: text, effects: listOf(oneOf(EFFECTS)), params: optional(schema) },
  models: { name: text, description: optional(text) },
  channels: { name: text, title: text, description: optional(text) },
  taps: { hook: text, name: text, before: optional(text), deadlineMs: optional(duration) },
} satisfies { readonly [Kind in Exclude<keyof Declared, 'starts' | 'stops'>]: Shape }

/** What of a declaration is not as the plugin API has it, in words for the author; undefined where all is well. */
export function misfitOf(declared: JsonObject): string | undefined {
  for (const [kind, shape] of Object.entries(DECLARABLE)) {
    const items = declared[kind]
    if (!Array.isArray(items)) return `no list of ${kind}`
    for (const item of items as readonly Json[]) {
      if (!isObject(item)) return `something in ${kind} that is no object`
      const field = misfit(item, shape)
      if (field !== undefined) return `a wrong \`${field}\` in ${kind}: ${String(item['name'] ?? item['path'])}`
    }
  }
  return undefined
}

/** The fields of each message, but for its `type`. */
const MESSAGES: { readonly [Type in FromChild['type']]: Shape } = {
  declared: { declared: isObject },
  unloadable: { bug },
  result: { entry: count, value: optional(json) },
  refusal: { entry: count, refusal, bug: optional(bug) },
  host: { entry: count, op: optional(count), name: text, args: list, credit: optional(count) },
  abandon: { op: count },
  item: { stream: count, value: json },
  end: { stream: count, refusal: optional(refusal), bug: optional(bug) },
  credit: { stream: count, count },
  leave: { stream: count },
  log: { level: oneOf(['info', 'warn', 'error']), text: sentence },
  pong: { beat: count },
}

/** The message, or undefined where it is none. */
export function fromChild(value: Json): FromChild | undefined {
  if (!isObject(value)) return undefined
  const { type, ...fields } = value
  if (typeof type !== 'string' || !Object.hasOwn(MESSAGES, type)) return undefined
  // Every field of the message has just been looked at.
  return fits(fields, MESSAGES[type as FromChild['type']]) ? (value as unknown as FromChild) : undefined
}

/** All that is named fits, and nothing else is there. */
function fits(object: JsonObject, shape: Shape): boolean {
  return misfit(object, shape) === undefined
}

/** The first field that is wrong, or that nobody knows. */
function misfit(object: JsonObject, shape: Shape): string | undefined {
  for (const name in shape) if (!shape[name]!(object[name])) return name
  return Object.keys(object).find((name) => !Object.hasOwn(shape, name))
}
