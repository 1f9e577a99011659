/**
 * `hook.wake`: something has happened that the agent should know. At once it begins a run; for the next heartbeat it is kept, and
 * whoever beats takes it with `hook.waiting`.
 */
import type { Context, Store, TypedMethod } from '@isopod/plugin-api'
import type { HookWake, HookWoken, WaitingWake } from './contract.ts'
import { begin } from './run.ts'

/** Where a wake-up without a session of its own is heard. */
const SESSION = 'main'
const WAITING = 'waiting'
/** A heartbeat that finds more takes the rest the next time. */
const TAKEN_AT_ONCE = 100

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
export async function keep(text: string, ctx: Pick<Context, 'store' | 'now' | 'id'>): Promise<void> {
  const value: WaitingWake = { text, at: ctx.now() }
  const key = `${String(value.at).padStart(13, '0')}-${ctx.id()}`
  await ctx.store.write([{ put: WAITING, key, value: { ...value } }])
}

/** What two heartbeats at once both read is taken by one of them; the other is refused `conflict`. */
async function taken({ store }: { readonly store: Store }): Promise<readonly WaitingWake[]> {
  const waiting = await store.list(WAITING, { limit: TAKEN_AT_ONCE })
  if (waiting.length > 0) await store.write(waiting.map(({ key, version }) => ({ remove: WAITING, key, ifVersion: version })))
  return waiting.map(({ value }) => value as unknown as WaitingWake)
}
