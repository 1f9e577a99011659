/**
 * `channel.enable` and `channel.disable`: the plugin that brings a channel is switched in the config, so that what is off has no
 * connection, no route and no code left running, and stays off after a restart.
 */
import { RpcError, type Context, type TypedMethod } from '@isopod/plugin-api'
import type { ChannelRow } from './contract.ts'
import { knownChannels } from './known.ts'
import { CHANNEL_PARAMS, CHANNEL_ROW } from './schema.ts'

export const enable = switching('enable', 'Switches a channel on: the plugin that brings it. Answers its row.')
export const disable = switching('disable', 'Switches a channel off: the plugin that brings it. Answers its row.')

function switching(verb: 'enable' | 'disable', description: string): TypedMethod<typeof CHANNEL_PARAMS> {
  return {
    name: `channel.${verb}`,
    description,
    scope: 'admin',
    params: CHANNEL_PARAMS,
    result: CHANNEL_ROW,
    handle: ({ channelId }, ctx) => switched(verb, channelId, ctx),
  }
}

async function switched(verb: 'enable' | 'disable', channelId: string, ctx: Context): Promise<ChannelRow> {
  const channel = (await knownChannels(ctx)).find(({ name }) => name === channelId)
  if (!channel) {
    throw new RpcError('not_found', `There is no channel ${JSON.stringify(channelId)}; channel.list names them`, { param: 'channelId' })
  }
  await ctx.call(`plugin.${verb}`, { id: channel.plugin })
  // This call stays on the generation it began on, where nothing has changed yet.
  const row = (await ctx.call('channel.status', { channelId }, { latest: true })) as ChannelRow
  ctx.emit('channel.changed', row)
  return row
}
