/**
 * The list of models that are offered, and since when. A client may sort or cache by that time, so it is kept in the store
 * and stays the same for as long as the gateway's home does.
 */
import { isRpcError, type Context } from '@isopod/plugin-api'
import type { ModelRow } from './contract.ts'
import type { Roster } from './roster.ts'

/** Seconds since 1970 by name. One document for all: there are a handful, and they are always read together. */
type Since = Readonly<Record<string, number>>

const COLLECTION = 'offers'
const KEY = 'since'
/** Two lists at the same moment may each want to add; the one that loses reads again. */
const ATTEMPTS = 3

/** What `model.list` answers. Throws `unavailable` where the store cannot be read. */
export async function offers(roster: Roster, ctx: Context): Promise<readonly ModelRow[]> {
  const names = roster.names()
  const since = await sinceWhen(names, ctx)
  return names.map((id) => ({
    id,
    provider: id.slice(0, id.indexOf('/')),
    default: id === roster.default,
    created: since[id] ?? seconds(ctx),
  }))
}

async function sinceWhen(names: readonly string[], ctx: Context): Promise<Since> {
  for (let attempt = 1; ; attempt += 1) {
    const document = await ctx.store.get(COLLECTION, KEY)
    // This plugin alone writes the document.
    const known = (document?.value ?? {}) as Since
    const fresh = names.filter((name) => known[name] === undefined)
    if (fresh.length === 0) return known
    const since = { ...known, ...Object.fromEntries(fresh.map((name) => [name, seconds(ctx)])) }
    try {
      await ctx.store.write([{ put: COLLECTION, key: KEY, value: since, ifVersion: document?.version ?? 0 }])
      return since
    } catch (thrown) {
      if (isRpcError(thrown) && thrown.code === 'conflict' && attempt < ATTEMPTS) continue
      // A disk that is full must not hide the models: the list is right but for a time that is not kept.
      ctx.log.warn('Since when models are offered could not be kept', { err: thrown })
      return since
    }
  }
}

function seconds(ctx: Context): number {
  return Math.floor(ctx.now() / 1000)
}
