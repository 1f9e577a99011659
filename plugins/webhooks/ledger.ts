/** What became of the runs that hooks began, for whoever wonders where an answer went: the last of them, in the store. */
import type { Refusal, Store, TypedMethod } from '@isopod/plugin-api'
import type { HookRun } from './contract.ts'

const STREAM = 'runs'
const ENDS = 'ended'

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

export async function opened(run: Pick<HookRun, 'runId' | 'sessionKey' | 'hook' | 'startedAt'>, store: Store): Promise<void> {
  await store.write([{ append: STREAM, value: { ...run } }])
}

export type Ending = Pick<HookRun, 'endedAt' | 'error' | 'delivery'>

export async function closed(runId: string, { endedAt, error, delivery }: Ending, store: Store): Promise<void> {
  const value = {
    ...(endedAt !== undefined && { endedAt }),
    ...(error && { error: plain(error) }),
    ...(delivery && { delivery: { ...delivery, ...(delivery.error && { error: plain(delivery.error) }) } }),
  }
  // What a refusal carries is JSON by contract.
  await store.write([{ put: ENDS, key: runId, value: value as never }])
}

async function newest(store: Store, limit: number): Promise<readonly HookRun[]> {
  const begun = await store.read(STREAM, { newest: true, limit })
  // What `opened` has appended.
  const opened = begun.map(({ value }) => value as unknown as HookRun)
  const rows = await Promise.all(opened.map(async (run) => ({ ...run, ...(await endOf(run.runId, store)) })))
  return rows.toReversed()
}

async function endOf(runId: string, store: Store): Promise<Ending> {
  return ((await store.get(ENDS, runId))?.value ?? {}) as unknown as Ending
}

function plain({ code, message }: Refusal): { code: string; message: string } {
  return { code, message }
}
