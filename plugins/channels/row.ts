/** A channel as people see it: whether it is on, and how it says it is, or why it cannot say. */
import { isRpcError, type ChannelReport, type Context, type JsonObject } from '@isopod/plugin-api'
import type { ChannelRow } from './contract.ts'
import { knownChannels, type KnownChannel } from './known.ts'

/**
 * Every channel of a plugin that the gateway still has. One that hangs or
 * fails to answer is told as such, and holds nobody up.
 */
export async function rowsOf(ctx: Context): Promise<readonly ChannelRow[]> {
  const [channels, plugins] = await Promise.all([knownChannels(ctx), pluginRows(ctx)])
  const rows = await Promise.all(channels.map((channel) => rowOf(channel, plugins, ctx)))
  return rows.filter((row) => row !== undefined)
}

async function pluginRows(ctx: Context): Promise<ReadonlyMap<unknown, JsonObject>> {
  // The kernel's own method answers rows.
  const { plugins } = (await ctx.call('plugin.list')) as { readonly plugins: readonly JsonObject[] }
  return new Map(plugins.map((row) => [row['id'], row]))
}

async function rowOf(channel: KnownChannel, plugins: ReadonlyMap<unknown, JsonObject>, ctx: Context): Promise<ChannelRow | undefined> {
  const { name: id, title: name, plugin } = channel
  if (channel.live) return { ...(await reported(id, ctx)), id, name, enabled: true }
  const row = plugins.get(plugin)
  if (!row) return undefined
  if (row['state'] === 'disabled') return { id, name, enabled: false, status: 'disabled' }
  return { id, name, enabled: true, status: 'error', reason: `The plugin ${plugin} is ${String(row['state'])}` }
}

async function reported(id: string, ctx: Context): Promise<ChannelReport | { readonly status: 'error'; readonly reason: string }> {
  try {
    return await ctx.channelReport(id)
  } catch (thrown) {
    if (!isRpcError(thrown)) throw thrown
    return { status: 'error', reason: thrown.message }
  }
}
