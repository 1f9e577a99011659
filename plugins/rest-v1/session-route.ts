/**
 * `/v1/sessions`: the list, one session, and its end. A key may hold slashes,
 * escaped or not, and so takes the rest of the path.
 */
import type { Route, Schema } from '@isopod/plugin-api'

const PATH = '/v1/sessions/{sessionKey+}'

const TEXT = { type: 'string' } as const
const TIME = { type: 'string', format: 'date-time' } as const
const FIELDS = ['sessionKey', 'agentId', 'channel', 'createdAt', 'updatedAt', 'messageCount'] as const
const ROW = {
  sessionKey: TEXT,
  agentId: TEXT,
  channel: TEXT,
  createdAt: TIME,
  updatedAt: TIME,
  messageCount: { type: 'integer', minimum: 0, description: 'User and assistant messages.' },
  title: TEXT,
} as const

const LIST: Schema = {
  type: 'object',
  required: ['sessions'],
  properties: {
    sessions: { type: 'array', items: { type: 'object', required: FIELDS, properties: ROW } },
    next: { type: 'string', description: 'The `after` of the next page.' },
  },
}

const MESSAGE = {
  type: 'object',
  required: ['id', 'role', 'content', 'createdAt'],
  properties: { id: TEXT, role: { enum: ['system', 'user', 'assistant', 'tool'] }, content: TEXT, createdAt: TIME },
} as const

const DETAIL: Schema = {
  type: 'object',
  required: [...FIELDS, 'messages'],
  properties: { ...ROW, messages: { type: 'array', items: MESSAGE, description: 'Oldest first.' } },
}

const DELETED: Schema = { type: 'object', required: ['ok'], properties: { ok: { const: true } } }

export const sessionRoutes: readonly Route[] = [
  { verb: 'GET', path: '/v1/sessions', call: 'session.list', describe: { summary: 'Lists sessions, newest first', reply: LIST } },
  { verb: 'GET', path: PATH, call: 'session.get', describe: { summary: 'Tells a session with its newest messages', reply: DETAIL } },
  { verb: 'DELETE', path: PATH, call: 'session.delete', describe: { summary: 'Deletes a session with all its messages', reply: DELETED } },
]
