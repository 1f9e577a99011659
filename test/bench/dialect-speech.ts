/** One chat and what is told of it, in each dialect, as functions that do it once and answer how many characters came of it. */
import type { Dialect, Encoded, JsonObject, Plugin, Spoken } from '@isopod/plugin-api'
import rpcPlugin from '../../plugins/dialect-rpc/index.ts'
import simplePlugin from '../../plugins/dialect-simple/index.ts'
import typedPlugin from '../../plugins/dialect-typed/index.ts'
import { contributionsOf, NOW } from '../../fixtures/contributions.ts'

export interface Spelled {
  readonly decode: () => number
  readonly encode: () => number
  /** Absent where the dialect has no word for it. */
  readonly event?: () => number
}

const MESSAGE = 'What files are in my home directory?'
const RESULT = {
  runId: '123e4567-e89b-12d3-a456-426614174000', sessionKey: 'session-123', model: 'isopod/offline', response: 'Here are the files in your home directory.',
  finishReason: 'stop', toolCalls: [], usage: { promptTokens: 1000, completionTokens: 250, totalTokens: 1250 },
}
const REPLY: Spoken = { kind: 'outcome', id: 'msg-001', method: 'chat.run', outcome: { ok: true, value: RESULT } }
const TOLD: Spoken = {
  kind: 'event',
  event: { name: 'tool.call', runId: RESULT.runId, seq: 2, data: { runId: RESULT.runId, callId: 'call-1', tool: 'shell', params: { command: 'ls ~' } } },
}

const TYPED_CHAT = { type: 'chat', id: 'msg-001', payload: { text: MESSAGE, context: {}, options: { model: 'gpt-4', no_memory: false } } }
const RPC_CHAT = { method: 'chat.run', params: { message: MESSAGE, sessionKey: 'session-123', options: { thinking: 'medium', stream: true } }, id: 1 }

export const rpc = spelled(rpcPlugin, RPC_CHAT)
export const typed = spelled(typedPlugin, TYPED_CHAT)
export const simple = spelled(simplePlugin, TYPED_CHAT)

function spelled(plugin: Plugin, chat: JsonObject): Spelled {
  const dialect = only(plugin)
  const state = now(dialect.greet({ clientId: 'uuid', gatewayVersion: '1', capabilities: [], authenticated: true, now: NOW })).state
  const text = JSON.stringify(chat)
  const say = (what: Spoken) => () => {
    const { frames } = now(dialect.encode(what, state, NOW))
    return frames.reduce((sum, frame) => sum + JSON.stringify(frame).length, 0)
  }
  return {
    encode: say(REPLY),
    decode: () => JSON.stringify(now(dialect.decode(JSON.parse(text) as JsonObject, state)).state).length,
    ...(say(TOLD)() > 0 && { event: say(TOLD) }),
  }
}

function only(plugin: Plugin): Dialect {
  const [dialect] = contributionsOf(plugin).dialects.values()
  if (!dialect) throw new Error('The plugin brings no dialect')
  return dialect
}

/** What a dialect in this process answers: no promise. */
function now<Answer extends Encoded | { readonly state: unknown }>(answer: Answer | Promise<Answer>): Answer {
  if (answer instanceof Promise) throw new Error('A dialect in this process answers at once')
  return answer
}
