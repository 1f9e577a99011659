/** The list of sessions, newest first: read from the index as it stands, a page at a time. */
import { RpcError, type Json, type Store } from '@isopod/plugin-api'
import type { SessionList, SessionRow } from './contract.ts'
import { RECENT } from './record.ts'

export interface Listing {
  readonly limit?: number
  /** The `next` of the page before. */
  readonly after?: string
  readonly agentId?: string
  readonly channel?: string
}

/** Rows in a page unless the caller says. */
const ROWS = 100
const PAGE = 1_000
/** Pages of the index looked through for one answer; what is found by then is answered, with where to go on. */
const PAGES = 10

/** A session that changes while it is listed moves to the front, and so may be missed by later pages. */
export async function list(store: Store, { limit = ROWS, after, agentId, channel }: Listing): Promise<SessionList> {
  const isCursor = after === undefined || /^\d{13}-/.test(after)
  if (!isCursor) throw new RpcError('invalid_request', 'after: must be the `next` of an earlier page', { param: 'after' })
  const fits = (row: SessionRow) => (agentId ?? row.agentId) === row.agentId && (channel ?? row.channel) === row.channel
  const size = agentId === undefined && channel === undefined ? Math.min(limit, PAGE) : PAGE
  const sessions: SessionRow[] = []
  let last = after
  for (let page = 0; page < PAGES; page += 1) {
    const found = await store.list<Json & SessionRow>(RECENT, { limit: size, ...(last !== undefined && { after: last }) })
    for (const { key, value } of found) {
      last = key
      if (fits(value)) sessions.push(value)
      if (sessions.length === limit) return { sessions, next: key }
    }
    if (found.length < size) return { sessions }
  }
  return { sessions, ...(last !== undefined && { next: last }) }
}
