/**
 * `/api/v1/conversations`: sessions under this family's name for them. A row is
 * a session's, with its key also as `conversation_id`.
 */
import { isObject } from '@isopod/plugin-api'
import type { Json, JsonObject, Route, RouteEncoded, RouteHappening, Schema } from '@isopod/plugin-api'
import { renamedRefusal } from './flat-error.ts'

const PATH = '/api/v1/conversations'
/** An id is a session's key, which may hold slashes, escaped or not. */
const ONE = `${PATH}/{sessionKey+}`

const TEXT = { type: 'string' } as const
const TIME = { type: 'string', format: 'date-time' } as const
const FIELDS = ['conversation_id', 'sessionKey', 'agentId', 'channel', 'createdAt', 'updatedAt', 'messageCount'] as const
const ROW = {
  conversation_id: TEXT,
  sessionKey: TEXT,
  agentId: TEXT,
  channel: TEXT,
  createdAt: TIME,
  updatedAt: TIME,
  messageCount: { type: 'integer', minimum: 0, description: 'User and assistant messages.' },
  title: TEXT,
} as const

const MESSAGE = {
  type: 'object',
  required: ['id', 'role', 'content', 'createdAt'],
  properties: { id: TEXT, role: { enum: ['system', 'user', 'assistant', 'tool'] }, content: TEXT, createdAt: TIME },
} as const

const LIST: Schema = {
  type: 'object',
  required: ['conversations'],
  properties: { conversations: { type: 'array', items: { type: 'object', required: FIELDS, properties: ROW } }, next: TEXT },
}
const DETAIL: Schema = { type: 'object', required: [...FIELDS, 'messages'], properties: { ...ROW, messages: { type: 'array', items: MESSAGE } } }
const DELETED: Schema = { type: 'object', required: ['ok'], properties: { ok: { const: true } } }

export const conversationRoutes: readonly Route[] = [
  { verb: 'GET', path: PATH, call: 'session.list', encode: spelling(list), describe: { summary: 'Lists conversations, newest first', reply: LIST } },
  { verb: 'GET', path: ONE, call: 'session.get', encode: spelling(row), describe: { summary: 'Tells a conversation with its newest messages', reply: DETAIL } },
  { verb: 'DELETE', path: ONE, call: 'session.delete', encode: spelling((done) => done), describe: { summary: 'Deletes a conversation', reply: DELETED } },
]

function spelling(spell: (value: JsonObject) => JsonObject) {
  return (what: RouteHappening): RouteEncoded | undefined => {
    if (what.kind !== 'outcome') return undefined
    if (!what.outcome.ok) return renamedRefusal(what.outcome.refusal)
    // Methods of sessions answer objects: their own contract.
    return { body: spell(what.outcome.value as JsonObject) }
  }
}

function list({ sessions, ...more }: JsonObject): JsonObject {
  return { conversations: (sessions as readonly Json[]).map((one) => (isObject(one) ? row(one) : one)), ...more }
}

function row(session: JsonObject): JsonObject {
  const { sessionKey = '' } = session
  return { conversation_id: sessionKey, ...session }
}
