/**
 * What is kept of a run beside its messages. An open run stands in a collection of its own, so that whoever starts after
 * a crash finds exactly those; an ended one stands where its session remembers it, and goes when the session forgets it.
 */
import { RpcError, type Caller, type Json, type Store, type Usage, type Write } from '@isopod/plugin-api'
import type { RunStatus } from '../chat/contract.ts'
import type { SessionRun } from './contract.ts'
import { asJson } from './record.ts'
import { newest, responseIn } from './transcript.ts'

const OPEN = 'open'
const ENDED = 'runs'

/** How many ended runs a session remembers; a client that lost its socket asks for one of the last. */
export const RUNS_REMEMBERED = 50

/** More entries than one run can leave: 200 rounds of a call and its results. */
const ENTRIES_PER_RUN = 1_000

export interface OpenRun {
  readonly runId: string
  readonly sessionKey: string
  /** The id of the session's stream when the run began. */
  readonly session: string
  /** Who may ask for it. */
  readonly caller: string
  /** When the process started in which it was opened. Another value means that it did not survive. */
  readonly boot: number
}

export interface EndedRun extends Omit<OpenRun, 'boot'> {
  readonly status: Exclude<RunStatus, 'open'>
  /** The numbers of the first and last entry it left. */
  readonly first: number
  readonly last: number
  readonly usage?: Usage
  readonly error?: { readonly code: string; readonly message: string }
}

/** Refused by the store where the run is open already. */
export function opened(run: OpenRun): Write {
  return { put: OPEN, key: run.runId, value: asJson(run), ifVersion: 0 }
}

/** Refused by the store where the run has been closed by somebody else. */
export function closed(runId: string): Write {
  return { remove: OPEN, key: runId, ifVersion: 1 }
}

export function remembered(run: EndedRun): Write {
  return { put: ENDED, key: run.runId, value: asJson(run) }
}

export function forgotten(runIds: readonly string[]): Write[] {
  return runIds.map((runId) => ({ remove: ENDED, key: runId }))
}

export async function openRun(store: Store, runId: string): Promise<OpenRun | undefined> {
  return (await store.get<Json & OpenRun>(OPEN, runId))?.value
}

/** The open runs that another process opened, however many there are. */
export async function* leftOpen(store: Store, boot: number): AsyncGenerator<OpenRun> {
  let after: string | undefined
  for (;;) {
    const page = await store.list<Json & OpenRun>(OPEN, after === undefined ? {} : { after })
    for (const { value } of page) if (value.boot !== boot) yield value
    after = page.at(-1)?.key
    if (after === undefined) return
  }
}

/** What is kept of a run. Throws `not_found` also for another caller's, unless the asker may administer. */
export async function runOf(store: Store, { runId, caller, boot }: { runId: string; caller: Caller; boot: number }): Promise<SessionRun> {
  // In this order: a run that ends between the two questions is found by the second.
  const open = await openRun(store, runId)
  const ended = open ? undefined : (await store.get<Json & EndedRun>(ENDED, runId))?.value
  const run = open ?? ended
  const isVisible = run && (run.caller === caller.id || caller.scopes.includes('admin'))
  if (!isVisible) {
    throw new RpcError('not_found', `There is no run ${runId}: it never was, or what is kept of it has made room for later ones`, { param: 'runId' })
  }
  const { sessionKey } = run
  if (!ended) return { runId, sessionKey, status: open?.boot === boot ? 'open' : 'interrupted', response: '' }
  const { status, usage, error } = ended
  return { runId, sessionKey, status, response: await responseOf(store, ended), ...(usage && { usage }), ...(error && { error }) }
}

async function responseOf(store: Store, { session, first, last }: EndedRun): Promise<string> {
  return responseIn(await newest(store, session, { after: first - 1, before: last + 1, limit: ENTRIES_PER_RUN }))
}
