/**
 * The channels the gateway has ever had and still could have. A plugin that is switched off contributes nothing, so what it
 * brought is remembered here while its plugin is still one of the gateway's: otherwise nobody could see what to switch on again.
 */
import type { Context, JsonObject } from '@isopod/plugin-api'

const COLLECTION = 'channels'

/** A channel by what it declared, and the plugin that brings it. */
export interface KnownChannel {
  readonly name: string
  readonly title: string
  readonly plugin: string
  /** Its plugin contributes it now. */
  readonly live: boolean
}

/** All of them, by id. */
export async function knownChannels(ctx: Context): Promise<readonly KnownChannel[]> {
  const live = (await ctx.catalog('channels')).map((declared) => known(declared, true))
  const remembered = (await ctx.store.list(COLLECTION, { limit: 1000 })).map(({ value }) => known(value as JsonObject, false))
  const off = remembered.filter(({ name }) => !live.some((one) => one.name === name))
  const unseen = live.filter((one) => !remembered.some((old) => old.name === one.name && old.title === one.title && old.plugin === one.plugin))
  if (unseen.length > 0) {
    await ctx.store.write(unseen.map(({ live: _, ...value }) => ({ put: COLLECTION, key: value.name, value })))
  }
  return [...live, ...off].sort((left, right) => (left.name < right.name ? -1 : 1))
}

function known({ name, title, plugin }: JsonObject, live: boolean): KnownChannel {
  // The kernel has checked a declaration, and what is remembered was one.
  return { name: name as string, title: title as string, plugin: plugin as string, live }
}
