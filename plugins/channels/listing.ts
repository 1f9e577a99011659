/** `channel.list` and `channel.status`: how the channels are. */
import { RpcError, type Context, type TypedMethod } from '@isopod/plugin-api'
import type { ChannelList, ChannelRow } from './contract.ts'
import { rowsOf } from './row.ts'
import { CHANNEL_PARAMS, CHANNEL_ROW } from './schema.ts'

// Further parameters are let through: the URL's query arrives here as it is.
const NO_PARAMS = { type: 'object', properties: {} } as const

export const list: TypedMethod<typeof NO_PARAMS> = {
  name: 'channel.list',
  description: 'Every channel, those of switched-off plugins among them: whether it is on and how it is.',
  scope: 'read',
  params: NO_PARAMS,
  result: { type: 'object', required: ['channels'], properties: { channels: { type: 'array', items: CHANNEL_ROW } } },
  handle: async (_params, ctx): Promise<ChannelList> => ({ channels: await rowsOf(ctx) }),
}

export const status: TypedMethod<typeof CHANNEL_PARAMS> = {
  name: 'channel.status',
  description: 'How one channel is.',
  scope: 'read',
  params: CHANNEL_PARAMS,
  result: CHANNEL_ROW,
  handle: ({ channelId }, ctx) => rowNamed(channelId, ctx),
}

/** @throws RpcError `not_found` where there is no such channel. */
export async function rowNamed(channelId: string, ctx: Context): Promise<ChannelRow> {
  const row = (await rowsOf(ctx)).find(({ id }) => id === channelId)
  if (!row) {
    throw new RpcError('not_found', `There is no channel ${JSON.stringify(channelId)}; channel.list names them`, { param: 'channelId' })
  }
  return row
}
