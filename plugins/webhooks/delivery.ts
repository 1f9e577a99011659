/**
 * `hook.ended`: a run that a hook began is over. Its answer leaves through the channel it was meant for; one that could not be
 * delivered is told in the log and kept with the run, since whoever posted the hook has long been answered.
 */
import { isRpcError, refusalOf, type Context, type JsonObject, type RunEnding, type TypedMethod } from '@isopod/plugin-api'
import type { ChannelSend, ChannelSent } from '../channels/contract.ts'
import type { ChatRunResult } from '../chat/contract.ts'
import type { HookRun } from './contract.ts'
import { closed } from './ledger.ts'

const PARAMS = {
  type: 'object',
  required: ['runId', 'about', 'ok'],
  properties: { runId: { type: 'string' }, about: { type: 'object' }, ok: { type: 'boolean' } },
} as const

export const ended: TypedMethod<typeof PARAMS> = {
  name: 'hook.ended',
  description: 'Follows up a run that a hook began.',
  scope: 'write',
  internal: true,
  params: PARAMS,
  // The kernel tells it how a run ended.
  handle: (params, ctx) => followUp(params as unknown as RunEnding, ctx),
}

async function followUp(ending: RunEnding, ctx: Context): Promise<void> {
  const { runId, about } = ending
  const run = { runId, startedAt: Number(about['startedAt']) }
  const endedAt = ctx.now()
  if (!ending.ok) {
    const { code, message } = ending.refusal
    ctx.log.warn('A run that a hook began has failed', { runId, hook: about['hook'], code, reason: message })
    await closed(run, { endedAt, error: ending.refusal }, ctx.store)
    return
  }
  // `chat.run` answers this shape: chat's own contract.
  const delivery = await delivered(ending.value as unknown as ChatRunResult, about, ctx)
  await closed(run, { endedAt, ...(delivery && { delivery }) }, ctx.store)
}

async function delivered({ runId, response }: ChatRunResult, { channel, to }: JsonObject, ctx: Context): Promise<HookRun['delivery']> {
  if (typeof channel !== 'string' || typeof to !== 'string' || response === '') return undefined
  try {
    const message: ChannelSend = { channelId: channel, to, text: response }
    const { ids } = (await ctx.call('channel.send', { ...message })) as unknown as ChannelSent
    return { channel, to, ids }
  } catch (thrown) {
    if (!isRpcError(thrown)) throw thrown
    ctx.log.error(`The answer of a hook could not be delivered: ${thrown.message}`, { runId, channel, to })
    return { channel, to, error: refusalOf(thrown) }
  }
}
