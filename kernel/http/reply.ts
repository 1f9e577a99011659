/** Whole replies: JSON with the headers every one of them has, and refusals in the words of the URL's family. */
import { refusalOf, type Json, type Outcome, type Refusal, type RouteEncoded } from '@isopod/plugin-api'
import { asRefusal } from '../outcome.ts'
import type { Exchange } from '../transport/exchange.ts'
import { UnsupportedMediaType } from './body.ts'
import { spell } from './families.ts'

type Headers = Readonly<Record<string, string>>

interface WholeReply {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

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
export function replyRefusal(exchange: Exchange, refusal: Refusal, status?: number, headers?: Headers): void {
  const whole = refusalReply(refusal, exchange.path, status)
  exchange.reply(whole.status, { ...whole.headers, ...headers }, whole.body)
}

/** What a 429 says where nobody knows how long: a minute is what every rate here is counted over. */
const RATE_RETRY_SECONDS = 60

/** A refusal as a whole reply, for what has no exchange: an upgrade that is turned away. */
export function refusalReply(refusal: Refusal, path: string, status?: number): WholeReply {
  const spelled = spell(refusal, path, status)
  const seconds = refusal.retryAfterSeconds ?? (refusal.code === 'rate_limited' ? RATE_RETRY_SECONDS : undefined)
  const wait = seconds === undefined ? {} : { 'retry-after': String(Math.ceil(seconds)) }
  // Client libraries repeat every 5xx unless this header says not to.
  const once = refusal.retryable === false ? { 'x-should-retry': 'false' } : {}
  // RFC 9110, 11.6.1: a 401 says which scheme would do.
  const challenge = spelled.status === 401 ? { 'www-authenticate': 'Bearer' } : {}
  return { status: spelled.status, headers: { ...JSON_HEADERS, ...wait, ...once, ...challenge }, body: JSON.stringify(spelled.body) }
}

/** Answers an outcome as the row spelled it, or in the usual way where it did not. */
export function replyOutcome(exchange: Exchange, outcome: Outcome, encoded?: RouteEncoded): void {
  if (encoded) replyJson(exchange, encoded.status ?? 200, encoded.body, encoded.headers)
  // What a handler answered was copied as JSON when it left the plugin.
  else if (outcome.ok) replyJson(exchange, 200, outcome.value as Json)
  else replyRefusal(exchange, outcome.refusal)
}

/** Answers whatever was thrown on the way to a reply; where one has been begun, nothing more can be said. */
export function replyThrown(exchange: Exchange, thrown: unknown): void {
  if (exchange.replied) return
  replyRefusal(exchange, refusalOf(asRefusal(thrown)), thrown instanceof UnsupportedMediaType ? 415 : undefined)
}

/** One credential has had its share of requests and upgrades. */
export function tooOften(wait: number): Refusal {
  return { code: 'rate_limited', message: `Too many requests; try again in ${wait} s`, retryable: true, retryAfterSeconds: wait }
}
