/** `channel.send`: the one way out. Everybody who watches messages is asked first; what has left is told as an event. */
import { RpcError, type TypedMethod } from '@isopod/plugin-api'
import type { ChannelSent } from './contract.ts'
import { CHANNEL_ID } from './schema.ts'

const ID = { type: 'string', minLength: 1, maxLength: 256 } as const

/** The longest message, in characters: more than any channel takes in one piece, so splitting is the channel's. */
const TEXT_LENGTH = 100_000

const PARAMS = {
  type: 'object',
  required: ['channelId', 'to', 'text'],
  additionalProperties: false,
  properties: {
    channelId: CHANNEL_ID,
    to: { ...ID, description: 'Whom it is for, as the channel writes it.' },
    text: { type: 'string', minLength: 1, maxLength: TEXT_LENGTH },
    replyTo: { ...ID, description: 'The message it answers, by the channel\'s id.' },
    thread: { ...ID, description: 'The thread it belongs to, by the channel\'s id.' },
  },
} as const

export const send: TypedMethod<typeof PARAMS> = {
  name: 'channel.send',
  description: 'Sends a message through a channel, if everybody who watches messages agrees.',
  scope: 'write',
  params: PARAMS,
  result: {
    type: 'object',
    required: ['channelId', 'ids'],
    properties: { channelId: { type: 'string' }, ids: { type: 'array', items: { type: 'string' } } },
  },
  async handle({ channelId, to, text, replyTo, thread }, ctx): Promise<ChannelSent> {
    const verdict = await ctx.ask('messageSending', { channel: channelId, to, text, caller: ctx.caller })
    if ('refused' in verdict) {
      throw new RpcError('forbidden', `${verdict.by} refused the message: ${verdict.refused}`, { details: { by: verdict.by } })
    }
    const agreed = { to: verdict.subject.to, text: verdict.subject.text }
    const { ids } = await ctx.sendThrough(channelId, { ...agreed, ...(replyTo !== undefined && { replyTo }), ...(thread !== undefined && { thread }) })
    ctx.emit('message.sent', { channelId, to: agreed.to, ids })
    return { channelId, ids }
  },
}
