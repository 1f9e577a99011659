/**
 * A session as it is kept: one document under its key, a row of the index that lists the newest first, and a stream of
 * messages. Every change of any of them goes through the version of the document, so what belongs together is written
 * together or not at all, and two runs in one session cannot overwrite each other.
 */
import { isRpcError, RpcError, type Document, type Json, type Store, type Write } from '@isopod/plugin-api'
import type { SessionRow } from './contract.ts'
import { checkSessionKey, documentKey } from './session-key.ts'

const SESSIONS = 'sessions'
/** The index: keys are the time of the last change counted down, so that the store's order of keys is newest first. */
export const RECENT = 'recent'

/** The last moment the index can tell apart: 13 digits of milliseconds, in the year 2286. */
const LAST_MOMENT = 9_999_999_999_999

/**
 * A write meets a conflict only where another one on the same session succeeded, so this many runs can begin or end in
 * one session at the same moment.
 */
const ATTEMPTS = 100

type Found = Document<Json & SessionRecord>

export interface SessionRecord {
  /** Names the stream of messages. A new one after a reset, so that a run which began before has nowhere to write. */
  readonly id: string
  readonly sessionKey: string
  readonly agentId: string
  readonly channel: string
  /** Milliseconds since 1970, as is `updatedAt`. */
  readonly createdAt: number
  readonly updatedAt: number
  readonly messageCount: number
  /** How many entries the stream has, which is also the number of the last. */
  readonly entries: number
  /** The runs that ended in it and are still remembered, oldest first. */
  readonly runs: readonly string[]
  readonly title?: string
}

/** What is to become of a session, and what is written in the same transaction. */
export interface Change<Answer> {
  /** The record as it shall be; `removed` takes it away, `untouched` leaves it. */
  readonly record: SessionRecord | 'removed' | 'untouched'
  readonly beside: readonly Write[]
  readonly answer: Answer
}

export const streamOf = (sessionId: string): string => `messages/${sessionId}`

/** The session. Throws `not_found`, or `invalid_request` for what is no session key. */
export async function sessionOf(store: Store, sessionKey: string): Promise<SessionRecord> {
  checkSessionKey(sessionKey)
  const document = await load(store, await documentKey(sessionKey))
  if (!document) throw noSession(sessionKey)
  return document.value
}

/**
 * Changes a session in one transaction. `plan` is given the record as it stands (undefined where there is none) and is
 * asked again where somebody else was quicker; what it throws is thrown. Throws `conflict`, retryable, after too many.
 */
export async function change<Answer>(
  store: Store,
  sessionKey: string,
  plan: (found: SessionRecord | undefined, isAgain: boolean) => Change<Answer> | Promise<Change<Answer>>,
): Promise<Answer> {
  checkSessionKey(sessionKey)
  const key = await documentKey(sessionKey)
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const found = await load(store, key)
    const planned = await plan(found?.value, attempt > 0)
    if (await isWritten(store, [...writesOf(key, found, planned.record), ...planned.beside])) return planned.answer
  }
  throw new RpcError('conflict', `Too many runs change the session ${sessionKey} at once; try again`, { retryable: true })
}

export function noSession(sessionKey: string): RpcError {
  return new RpcError('not_found', `There is no session ${sessionKey}`, { param: 'sessionKey' })
}

export function rowOf(record: SessionRecord): SessionRow {
  const { sessionKey, agentId, channel, messageCount, title } = record
  const times = { createdAt: new Date(record.createdAt).toISOString(), updatedAt: new Date(record.updatedAt).toISOString() }
  return { sessionKey, agentId, channel, ...times, messageCount, ...(title !== undefined && { title }) }
}

/** What is ours is JSON by construction; an interface has no index signature to show it. */
export const asJson = (value: object): Json => value as Json

async function load(store: Store, key: string): Promise<Found | undefined> {
  return store.get<Json & SessionRecord>(SESSIONS, key)
}

/** False where a version did not fit. */
async function isWritten(store: Store, writes: readonly Write[]): Promise<boolean> {
  try {
    if (writes.length > 0) await store.write(writes)
    return true
  } catch (thrown) {
    if (isRpcError(thrown) && thrown.code === 'conflict') return false
    throw thrown
  }
}

function writesOf(key: string, found: Found | undefined, record: Change<unknown>['record']): Write[] {
  if (record === 'untouched') return []
  const ifVersion = found?.version ?? 0
  const stale = found && recentKey(found.value)
  if (record === 'removed') return stale === undefined ? [] : [{ remove: SESSIONS, key, ifVersion }, { remove: RECENT, key: stale }]
  return [
    { put: SESSIONS, key, value: asJson(record), ifVersion },
    ...(stale === undefined ? [] : [{ remove: RECENT, key: stale }]),
    { put: RECENT, key: recentKey(record), value: asJson(rowOf(record)) },
  ]
}

function recentKey({ updatedAt, id }: SessionRecord): string {
  const left = LAST_MOMENT - Math.min(Math.max(0, Math.trunc(updatedAt)), LAST_MOMENT)
  return `${String(left).padStart(13, '0')}-${id}`
}
