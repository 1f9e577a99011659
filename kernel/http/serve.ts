/**
 * One HTTP request, from its head to its reply. The order is the security of it: is it meant for us (Host, Origin), who is
 * it, is that often enough, and only then what it wants, so that a stranger learns nothing of what is here. It turns URLs
 * into calls and outcomes into replies, and knows no method by name.
 */
import { jsonCopy, refusalOf, RpcError, type Caller, type Json, type JsonObject, type Outcome, type Route, type RouteDecoded, type RouteRequest } from '@isopod/plugin-api'
import { withoutCredentials } from '../auth/credentials.ts'
import { checkHost, checkOrigin } from '../auth/origin.ts'
import { Call } from '../call.ts'
import { dispatch } from '../dispatch.ts'
import type { Front } from '../front.ts'
import type { Generation } from '../generation.ts'
import { isObject } from '../json-input.ts'
import type { Exchange } from '../transport/exchange.ts'
import { readBody } from './body.ts'
import { EventStream } from './event-stream.ts'
import { asRefusal, replyJson, replyRefusal, replyThrown } from './reply.ts'
import { RouteTable, type Match } from './route-table.ts'

/** Headers a row never sees: what they carry is the gateway's own business. */
const WITHHELD = new Set(['authorization', 'cookie', 'proxy-authorization', 'x-openclaw-token', 'x-openclaw-password'])

/** The caller of what is public: nobody, with no scope. */
const PUBLIC: Caller = Object.freeze({ id: 'public', scopes: [], origin: 'stranger' })

/** Answers one request. Never throws, and always replies unless the client has gone. */
export function serve(front: Front, exchange: Exchange): void {
  const turnedAway = checkHost(exchange, front.names()) ?? checkOrigin(exchange, front.names())
  if (turnedAway) {
    replyRefusal(exchange, turnedAway.refusal, turnedAway.status)
    return
  }
  const generation = front.core.current()
  const match = RouteTable.of(generation).find(exchange.method, exchange.path)
  const caller = admit(front, exchange, match)
  if (!caller) return
  if (!match) {
    refuseUnknown(exchange, generation)
    return
  }
  carryOut(front, exchange, generation, match, caller).catch((thrown: unknown) => {
    front.core.log.error(`${exchange.method} ${exchange.path} failed`, { err: thrown })
    replyThrown(exchange, thrown)
  })
}

/** Who it is, or undefined once the refusal has been sent. */
function admit(front: Front, exchange: Exchange, match: Match | undefined): Caller | undefined {
  if (match?.bound.item.auth === 'public') return PUBLIC
  const verdict = front.auth().authenticateHead(exchange)
  if (verdict.refusal) {
    replyRefusal(exchange, verdict.refusal)
    return undefined
  }
  const wait = front.throttle().take(verdict.caller.id, 'request')
  if (wait === undefined) return verdict.caller
  replyRefusal(exchange, { code: 'rate_limited', message: `Too many requests; try again in ${wait} s`, retryable: true, retryAfterSeconds: wait })
  return undefined
}

function refuseUnknown(exchange: Exchange, generation: Generation): void {
  const verbs = RouteTable.of(generation).verbsAt(exchange.path)
  if (verbs.length === 0) {
    replyRefusal(exchange, { code: 'not_found', message: `There is nothing at ${exchange.path}` })
    return
  }
  const allow = verbs.includes('GET') ? [...verbs, 'HEAD'] : verbs
  replyRefusal(exchange, { code: 'invalid_request', message: `${exchange.path} takes ${allow.join(', ')}, not ${exchange.method}` }, 405, { allow: allow.join(', ') })
}

async function carryOut(front: Front, exchange: Exchange, generation: Generation, { bound, segments }: Match, caller: Caller): Promise<void> {
  const route = bound.item
  let decoded: RouteDecoded
  try {
    const body = await readBody(exchange, front.limits().bodyBytes)
    decoded = await decode(route, exchange, segments, body)
  } catch (thrown) {
    replyThrown(exchange, thrown)
    return
  }
  if ('refuse' in decoded) {
    replyRefusal(exchange, decoded.refuse)
    return
  }
  const { params, state = null, stream = false } = decoded
  const events = stream && route.encode ? new EventStream(exchange, route.encode, state, front.core.clock) : undefined
  const call = new Call({ core: front.core, caller, method: route.call, sink: events, generation })
  const cancel = () => call.cancel(new RpcError('cancelled', 'The client closed the request'))
  exchange.signal.addEventListener('abort', cancel, { once: true })
  const outcome = await outcomeOf(call, params)
  exchange.signal.removeEventListener('abort', cancel)
  if (events) {
    await events.end(outcome)
    front.core.events.forget(events)
  } else await replyOutcome(front, exchange, route, outcome, state)
}

async function decode(route: Route, exchange: Exchange, segments: Readonly<Record<string, string>>, body: Json | undefined): Promise<RouteDecoded> {
  const query = Object.fromEntries(new URLSearchParams(withoutCredentials(exchange.query)))
  if (route.decode) {
    const headers = Object.fromEntries([...exchange.headers].filter(([name]) => !WITHHELD.has(name)))
    const request: RouteRequest = { path: exchange.path, segments, query, headers, body }
    return route.decode(request)
  }
  if (body !== undefined && !isObject(body)) throw new RpcError('invalid_request', 'The body must be a JSON object')
  return { params: Object.freeze({ ...segments, ...query, ...body }) }
}

async function outcomeOf(call: Call, params: JsonObject): Promise<Outcome> {
  try {
    return { ok: true, value: await dispatch(call, jsonCopy(params, `the params of ${call.method}`) as JsonObject) }
  } catch (thrown) {
    return { ok: false, refusal: refusalOf(asRefusal(thrown)) }
  }
}

async function replyOutcome(front: Front, exchange: Exchange, route: Route, outcome: Outcome, state: Json): Promise<void> {
  if (exchange.signal.aborted) return
  const encoded = route.encode ? await route.encode({ kind: 'outcome', outcome }, state, front.core.clock.now()) : undefined
  if (encoded) replyJson(exchange, encoded.status ?? 200, encoded.body, encoded.headers)
  else if (outcome.ok) replyJson(exchange, 200, outcome.value as Json)
  else replyRefusal(exchange, outcome.refusal)
}
