/** What became of the runs that hooks began, for whoever wonders where an answer went: the last of them, in the store. */
import type { Refusal, Store, TypedMethod } from '@isopod/plugin-api'
import type { HookRun } from './contract.ts'

const BEGUN = 'runs'
const ENDED = 'ended'
/** How many are kept: as many as `hook.runs` answers at most. */
const KEPT = 200
/** How many of the older ones go at a time. */
const SWEEP = 20
/** The last moment the keys can tell apart: 13 digits of milliseconds, in the year 2286. */
const LAST_MOMENT = 9_999_999_999_999

const PARAMS = {
  type: 'object',
  additionalProperties: false,
  properties: { limit: { type: 'integer', minimum: 1, maximum: 200, description: '50 unless said.' } },
} as const

const RUN = { type: 'object', required: ['runId', 'sessionKey', 'hook', 'startedAt'] } as const

export const runs: TypedMethod<typeof PARAMS> = {
  name: 'hook.runs',
  description: 'The last runs that hooks began, newest first: how they ended, and what became of their delivery.',
  scope: 'read',
  params: PARAMS,
  result: { type: 'object', required: ['runs'], properties: { runs: { type: 'array', items: RUN } } },
  handle: async ({ limit = 50 }, { store }) => ({ runs: await newest(store, limit) }),
}

export type Opened = Pick<HookRun, 'runId' | 'sessionKey' | 'hook' | 'startedAt'>

/** Keeps a run that has begun, and lets go of what is older than the last of them. */
export async function opened(run: Opened, store: Store): Promise<void> {
  const older = (await store.list(BEGUN, { limit: KEPT + SWEEP })).slice(KEPT - 1)
  const gone = older.flatMap(({ key }) => [{ remove: BEGUN, key }, { remove: ENDED, key }])
  await store.write([{ put: BEGUN, key: keyOf(run), value: { ...run } }, ...gone])
}

export type Ending = Pick<HookRun, 'endedAt' | 'error' | 'delivery'>

/** Beside the run and not in it: one that ends at once may be told so before it is kept. */
export async function closed(run: Pick<Opened, 'runId' | 'startedAt'>, { endedAt, error, delivery }: Ending, store: Store): Promise<void> {
  const value = {
    ...(endedAt !== undefined && { endedAt }),
    ...(error && { error: plain(error) }),
    ...(delivery && { delivery: { ...delivery, ...(delivery.error && { error: plain(delivery.error) }) } }),
  }
  // What a refusal carries is JSON by contract.
  await store.write([{ put: ENDED, key: keyOf(run), value: value as never }])
}

async function newest(store: Store, limit: number): Promise<readonly HookRun[]> {
  const begun = await store.list(BEGUN, { limit })
  return Promise.all(begun.map(async ({ key, value }) => {
    const ending = (await store.get(ENDED, key))?.value ?? {}
    // What `opened` and `closed` have put there.
    return { ...(value as unknown as HookRun), ...(ending as unknown as Ending) }
  }))
}

/** Counted down, so that the store's order of keys is newest first. */
function keyOf({ runId, startedAt }: Pick<Opened, 'runId' | 'startedAt'>): string {
  return `${String(Math.max(0, LAST_MOMENT - startedAt)).padStart(13, '0')}-${runId}`
}

function plain({ code, message }: Refusal): { code: string; message: string } {
  return { code, message }
}
