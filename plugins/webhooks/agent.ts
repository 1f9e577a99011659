/**
 * `hook.agent`: a message for the agent, answered with the run's id at once.
 * The answer leaves through a channel where one is named.
 */
import { RpcError, type Context, type TypedMethod } from '@isopod/plugin-api'
import type { HookAgent, HookStarted } from './contract.ts'
import { begin } from './run.ts'
import { settingsOf } from './settings.ts'
import { keep } from './wake.ts'

const NAME = { type: 'string', minLength: 1, maxLength: 256 } as const

export const AGENT_PARAMS = {
  type: 'object',
  required: ['message'],
  additionalProperties: false,
  properties: {
    message: { type: 'string', minLength: 1, maxLength: 200_000 },
    agentId: { type: 'string', minLength: 1, maxLength: 64 },
    sessionKey: { ...NAME, description: 'A fresh one below `hook:` unless said. Others need `hooks.allowRequestSessionKey`.' },
    name: { ...NAME, description: 'The sender\'s name, for people.' },
    deliver: { type: 'boolean', description: 'Whether the answer is sent through `channel` to `to`. True unless said.' },
    channel: { type: 'string', minLength: 1, maxLength: 64 },
    to: NAME,
    model: NAME,
    thinking: { enum: ['low', 'medium', 'high'] },
    wakeMode: { enum: ['now', 'next-heartbeat'], description: '`now` unless said.' },
    timeoutSeconds: { type: 'number', exclusiveMinimum: 0, maximum: 86_400 },
  },
} as const

export const agent: TypedMethod<typeof AGENT_PARAMS> = {
  name: 'hook.agent',
  description: 'Gives the agent a message in the background and answers the run\'s id.',
  scope: 'write',
  params: AGENT_PARAMS,
  result: { type: 'object', required: ['ok'], properties: { ok: { const: true }, runId: { type: 'string' } } },
  handle: (params, ctx) => asked(params, ctx),
}

export interface Asking {
  /** For people, and for `hook.runs`. */
  readonly hook: string
  /** Where the message came from, if it is nobody's order. */
  readonly untrusted?: string
  /** The key comes from the owner's config, who may name any. */
  readonly isOwnKey?: boolean
}

/** @throws RpcError `invalid_request` where the session may not be named by whoever asked. */
export async function asked(params: HookAgent, ctx: Context, asking: Asking = { hook: 'agent' }): Promise<HookStarted> {
  const { message, sessionKey = `hook:${ctx.id()}`, wakeMode = 'now' } = params
  const mayName = sessionKey.startsWith('hook:') || asking.isOwnKey === true || settingsOf(ctx).allowRequestSessionKey
  if (!mayName) {
    throw new RpcError('invalid_request', 'A hook\'s sessionKey begins with hook: unless hooks.allowRequestSessionKey is set', { param: 'sessionKey' })
  }
  if (wakeMode === 'next-heartbeat') {
    await keep(message, ctx)
    return { ok: true }
  }
  return { ok: true, runId: await begin({ ...params, ...asking, text: message, sessionKey }, ctx) }
}
