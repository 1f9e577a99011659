/** Whole replies: JSON with the headers every one of them has, and refusals in the words of the URL's family. */
import { isRpcError, refusalOf, type Json, type Refusal, RpcError } from '@isopod/plugin-api'
import type { Exchange } from '../transport/exchange.ts'
import { UnsupportedMediaType } from './body.ts'
import { spell } from './families.ts'

type Headers = Readonly<Record<string, string>>

/** An answer is for the one who asked: no cache keeps it, and no browser guesses its type. */
const JSON_HEADERS: Headers = Object.freeze({
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
})

export function replyJson(exchange: Exchange, status: number, body: Json | undefined, headers?: Headers): void {
  exchange.reply(status, headers ? { ...JSON_HEADERS, ...headers } : JSON_HEADERS, JSON.stringify(body ?? null))
}

/** Answers a refusal. `status` is given where HTTP knows better than the code. */
export function replyRefusal(exchange: Exchange, refusal: Refusal, status?: number, headers: Headers = {}): void {
  const spelled = spell(refusal, exchange.path, status)
  const wait = refusal.retryAfterSeconds === undefined ? {} : { 'retry-after': String(refusal.retryAfterSeconds) }
  // RFC 9110, 11.6.1: a 401 says which scheme would do.
  const challenge = spelled.status === 401 ? { 'www-authenticate': 'Bearer' } : {}
  replyJson(exchange, spelled.status, spelled.body, { ...wait, ...challenge, ...headers })
}

/** Answers whatever was thrown on the way to a reply. A client that has gone gets none. */
export function replyThrown(exchange: Exchange, thrown: unknown): void {
  if (exchange.signal.aborted || exchange.replied) return
  if (thrown instanceof UnsupportedMediaType) replyRefusal(exchange, refusalOf(thrown), 415)
  else replyRefusal(exchange, refusalOf(asRefusal(thrown)))
}

/** What crosses the wire of something thrown: itself, or `internal` and nothing of what it was. */
export function asRefusal(thrown: unknown): RpcError {
  return isRpcError(thrown) ? thrown : new RpcError('internal', 'Internal error', { cause: thrown })
}
