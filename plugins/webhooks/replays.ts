/**
 * Deliveries that were answered already. Senders repeat what they are not sure of, under the same key, and are told again what
 * they were told. The key is claimed in the store before anything is begun, so that of two at once only one begins something;
 * what was asked under it must stay the same, or somebody has mixed up keys.
 */
import { createHash } from 'node:crypto'
import { isRpcError, RpcError, type Context, type Document, type Json, type JsonObject } from '@isopod/plugin-api'

const COLLECTION = 'answered'
/** Stripe keeps keys for a day, and retries are over by then. */
const KEPT_MS = 86_400_000
/** How many are looked at with each new key; those that are too old go. */
const SWEEP = 50
/** A claim is answered within the time it takes to begin a run. */
const RETRY_SECONDS = 1

export interface Delivery {
  /** Whose key it is, and the key. */
  readonly hook: string
  readonly key: string
  readonly body: string
}

interface Claim {
  readonly digest: string
  readonly at: number
  /** When the process started that claimed it: one that was killed answers nothing any more. */
  readonly boot: number
  readonly answer?: JsonObject
}

/** @throws RpcError `conflict` where the key came with another body, or its first delivery is still being answered. */
export async function answeredOnce(delivery: Delivery, ctx: Context, answer: () => Promise<JsonObject>): Promise<JsonObject> {
  const key = digestOf(`${delivery.hook}\n${delivery.key}`)
  const { startedAt: boot } = await ctx.gateway()
  const claim: Claim = { digest: digestOf(delivery.body), at: ctx.now(), boot }
  const found = await ctx.store.get<Json & Claim>(COLLECTION, key)
  if (found && isKept(found.value, ctx)) {
    if (found.value.digest !== claim.digest) throw mixedUp()
    if (found.value.answer) return found.value.answer
    if (found.value.boot === boot) throw underWay()
  }
  await claimed(key, claim, found, ctx)
  return carriedOut(key, claim, ctx, answer)
}

async function claimed(key: string, claim: Claim, found: Document | undefined, ctx: Context): Promise<void> {
  const old = (await ctx.store.list<Json & Claim>(COLLECTION, { after: key, limit: SWEEP })).filter(({ value }) => !isKept(value, ctx))
  try {
    const put = { put: COLLECTION, key, value: { ...claim }, ifVersion: found?.version ?? 0 }
    await ctx.store.write([put, ...old.map((one) => ({ remove: COLLECTION, key: one.key }))])
  } catch (thrown) {
    throw isRpcError(thrown) && thrown.code === 'conflict' ? underWay() : thrown
  }
}

/**
 * What came to nothing may be tried again under the same key. What was begun may not, even where that could not be kept: the
 * claim stands then, and whoever asks again is told to wait.
 */
async function carriedOut(key: string, claim: Claim, { store, log }: Context, answer: () => Promise<JsonObject>): Promise<JsonObject> {
  let given
  try {
    given = await answer()
  } catch (thrown) {
    await store.write([{ remove: COLLECTION, key }])
    throw thrown
  }
  try {
    await store.write([{ put: COLLECTION, key, value: { ...claim, answer: given } }])
  } catch (err) {
    log.error('The answer to a delivery could not be kept: a repetition of it will be told to wait', { err })
  }
  return given
}

function isKept({ at }: Claim, ctx: Context): boolean {
  return ctx.now() - at < KEPT_MS
}

function mixedUp(): RpcError {
  return new RpcError('conflict', 'This Idempotency-Key was used for another body before', { param: 'idempotency-key' })
}

function underWay(): RpcError {
  const message = 'A delivery under this Idempotency-Key is being answered; ask again'
  return new RpcError('conflict', message, { param: 'idempotency-key', retryable: true, retryAfterSeconds: RETRY_SECONDS })
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
