/**
 * The messages of a session as its stream keeps them: how a message becomes an entry, and how entries are read back,
 * newest first, without holding more of them in memory than a reader can use. A message may carry a picture of several
 * megabytes, so a read is bounded by size as well as by count.
 */
import { isRpcError, type Entry, type Json, type Message, type Part, type ReadQuery, type Store, type Write } from '@isopod/plugin-api'
import type { SessionMessage } from './contract.ts'
import { asJson, streamOf, type SessionRecord } from './record.ts'

/** A message as an entry's value. One without parts marks the end of a run that left no words. */
export interface Kept extends Message {
  readonly runId: string
  readonly metadata?: Readonly<Record<string, string>>
  readonly status?: NonNullable<SessionMessage['status']>
}

export interface Span {
  /** Both exclusive. */
  readonly after?: number
  readonly before?: number
  readonly limit: number
}

/** What one read may answer in JSON text; the frame of an authenticated socket is 25 MiB at most. */
const READ_LENGTH = 16 * 1024 * 1024
/** Entries asked of the store at once. Most conversations fit into a few such pages. */
const PAGE = 50

export function appended(record: Pick<SessionRecord, 'id'>, messages: readonly Kept[]): Write[] {
  return messages.map((message) => ({ append: streamOf(record.id), value: asJson(message) }))
}

/** How many of these `messageCount` counts. */
export function counted(messages: readonly Message[]): number {
  return messages.filter(({ role, parts }) => parts.length > 0 && (role === 'user' || role === 'assistant')).length
}

/** The newest entries of a span, oldest first: at most `limit`, fewer where they are very large, and never none if there is one. */
export async function newest(store: Store, sessionId: string, { after = 0, before, limit }: Span): Promise<Entry<Json & Kept>[]> {
  const found: Entry<Json & Kept>[] = []
  let room = READ_LENGTH
  let end = before
  while (found.length < limit) {
    const query = { after, newest: true, limit: Math.min(PAGE, limit - found.length), ...(end !== undefined && { before: end }) }
    const page = await readPage(store, streamOf(sessionId), query)
    for (const entry of page.toReversed()) {
      room -= JSON.stringify(entry.value).length
      if (room < 0 && found.length > 0) return found.toReversed()
      found.push(entry)
    }
    const first = page[0]
    if (!first || first.seq <= after + 1) break
    end = first.seq
  }
  return found.toReversed()
}

export function messageOf({ seq, at, value }: Entry<Json & Kept>): SessionMessage {
  const { role, parts, runId, metadata, status } = value
  const isPlain = parts.length === 0 || (parts.length === 1 && parts[0]?.type === 'text')
  return {
    id: String(seq),
    role,
    content: textOf(parts, '\n'),
    createdAt: new Date(at).toISOString(),
    runId,
    ...(!isPlain && { parts }),
    ...(metadata && { metadata }),
    ...(status && { status }),
  }
}

/** The messages a model may be shown: without the marks of runs that left no words. */
export function spoken(entries: readonly Entry<Json & Kept>[]): Message[] {
  return entries.filter(({ value }) => value.parts.length > 0).map(({ value: { role, parts } }) => ({ role, parts }))
}

/** What a run said to its reader: the texts of its rounds, joined as `chat.delta` joins them. */
export function responseIn(entries: readonly Entry<Json & Kept>[]): string {
  const said = entries.filter(({ value }) => value.role === 'assistant').map(({ value }) => textOf(value.parts, ''))
  return said.filter((text) => text !== '').join('\n\n')
}

function textOf(parts: readonly Part[], between: string): string {
  return parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join(between)
}

/** A page, or half of it where the store finds it too much for one answer. */
async function readPage(store: Store, stream: string, query: ReadQuery & { readonly limit: number }): Promise<readonly Entry<Json & Kept>[]> {
  try {
    return await store.read<Json & Kept>(stream, query)
  } catch (thrown) {
    if (!isRpcError(thrown) || thrown.code !== 'payload_too_large' || query.limit === 1) throw thrown
    return readPage(store, stream, { ...query, limit: Math.ceil(query.limit / 2) })
  }
}
