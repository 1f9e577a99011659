/** A run that a hook begins: for the plugin itself, in the background, with somebody to follow it up. */
import type { Context, JsonObject } from '@isopod/plugin-api'
import type { ChatRunParams } from '../chat/contract.ts'
import type { HookAgent } from './contract.ts'
import { opened } from './ledger.ts'

export interface Beginning extends Omit<HookAgent, 'message' | 'wakeMode'> {
  readonly hook: string
  readonly text: string
  readonly sessionKey: string
  readonly untrusted?: string
}

/** Begins it and answers its id. Throws what `chat.run` refuses before it has begun, an agent that is not there for one. */
export async function begin(beginning: Beginning, ctx: Context): Promise<string> {
  const { hook, sessionKey, deliver = true, channel, to, timeoutSeconds } = beginning
  const about = { sessionKey, hook, ...(deliver && channel !== undefined && to !== undefined && { channel, to }), startedAt: ctx.now() }
  // Params are JSON: their types lack only an index signature.
  const params = paramsOf(beginning) as unknown as JsonObject
  const deadline = timeoutSeconds === undefined ? {} : { deadlineMs: timeoutSeconds * 1000 }
  const options = { as: 'self', once: 'chat.started', afterwards: 'hook.ended', ...deadline } as const
  // Once it has begun its failure is the run's, and whoever posted the hook would never hear of it.
  await ctx.call('chat.check', params, { as: 'self' })
  const runId = await ctx.spawn('chat.run', params, about, options)
  await opened({ runId, sessionKey, hook, startedAt: about.startedAt }, ctx.store)
  return runId
}

function paramsOf({ text, untrusted, sessionKey, agentId, model, thinking, name, hook }: Beginning): ChatRunParams {
  return {
    messages: [{ role: 'user', parts: [{ type: 'text', text, ...(untrusted !== undefined && { untrusted }) }] }],
    sessionKey,
    channel: 'hook',
    stream: true,
    metadata: { hook, ...(name !== undefined && { name }) },
    ...(agentId !== undefined && { agentId }),
    ...(model !== undefined && { model }),
    ...(thinking !== undefined && { sampling: { thinking } }),
  }
}
