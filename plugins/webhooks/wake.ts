/**
 * `hook.wake`: something has happened that the agent should know. At once it begins a run; for the next heartbeat it is kept, and
 * whoever beats takes it with `hook.waiting`.
 */
import type { Context, Store, TypedMethod } from '@isopod/plugin-api'
import type { HookWake, HookWoken, WaitingWake } from './contract.ts'
import { begin } from './run.ts'

/** Where a wake-up without a session of its own is heard. */
const SESSION = 'main'
const STREAM = 'waiting'
const TAKEN = 'taken'

/** The longest text, in characters. */
const LONGEST = 200_000

const PARAMS = {
  type: 'object',
  required: ['text'],
  additionalProperties: false,
  properties: {
    text: { type: 'string', minLength: 1, maxLength: LONGEST },
    mode: { enum: ['now', 'next-heartbeat'], description: '`now` unless said.' },
  },
} as const

export const wake: TypedMethod<typeof PARAMS> = {
  name: 'hook.wake',
  description: 'Wakes the agent with a text: now, or with the next heartbeat.',
  scope: 'write',
  params: PARAMS,
  result: {
    type: 'object',
    required: ['ok', 'mode'],
    properties: { ok: { const: true }, mode: { enum: ['now', 'next-heartbeat'] }, runId: { type: 'string' } },
  },
  handle: (params, ctx) => woken(params, ctx),
}

export const waiting: TypedMethod<undefined> = {
  name: 'hook.waiting',
  description: 'Takes the wake-ups that wait for a heartbeat; each is answered once.',
  scope: 'write',
  internal: true,
  handle: async (_params, ctx): Promise<{ wakes: readonly WaitingWake[] }> => ({ wakes: await taken(ctx) }),
}

/** @param untrusted where the text came from, if it is nobody's order. */
export async function woken({ text, mode = 'now' }: HookWake, ctx: Context, untrusted?: string): Promise<HookWoken> {
  if (mode === 'next-heartbeat') {
    await keep(text, ctx)
    return { ok: true, mode }
  }
  const runId = await begin({ hook: 'wake', sessionKey: SESSION, text, ...(untrusted !== undefined && { untrusted }) }, ctx)
  return { ok: true, mode, runId }
}

/** Keeps a text for the next heartbeat. */
export async function keep(text: string, ctx: Pick<Context, 'store' | 'now'>): Promise<void> {
  const value: WaitingWake = { text, at: ctx.now() }
  await ctx.store.write([{ append: STREAM, value: { ...value } }])
}

async function taken({ store }: { readonly store: Store }): Promise<readonly WaitingWake[]> {
  const mark = await store.get<number>(TAKEN, STREAM)
  const entries = await store.read(STREAM, { after: mark?.value ?? 0, limit: 1000 })
  const last = entries.at(-1)
  if (!last) return []
  // What two heartbeats at once both read is taken by one of them.
  await store.write([{ put: TAKEN, key: STREAM, value: last.seq, ifVersion: mark?.version ?? 0 }])
  return entries.map(({ value }) => value as unknown as WaitingWake)
}
