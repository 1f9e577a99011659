/**
 * One HTTP request, from its head to its reply. The order is the security of it: is it meant for us (Host, Origin), who is
 * it, is that often enough, and only then what it wants, so that a stranger learns nothing of what is here. It turns URLs
 * into calls and outcomes into replies, and knows no method by name.
 */
import {
  isObject,
  isRpcError,
  jsonCopy,
  RpcError,
  type Caller,
  type Json,
  type JsonObject,
  type Outcome,
  type Route,
  type RouteDecoded,
} from '@isopod/plugin-api'
import { checkHost, checkOrigin } from '../auth/origin.ts'
import { Call } from '../call.ts'
import { spelledInTime } from '../deadline.ts'
import { dispatch } from '../dispatch.ts'
import type { Front } from '../front.ts'
import type { Generation } from '../generation.ts'
import { refused, succeeded } from '../outcome.ts'
import { endOf } from '../patience.ts'
import type { Exchange } from '../transport/exchange.ts'
import { afterTurn } from '../turn.ts'
import { bodyRoom } from './body-room.ts'
import { readBody, readTextBody } from './body.ts'
import { coerced } from './coercion.ts'
import { answerPreflight, crossOrigin, isPreflight } from './cross-origin.ts'
import { EventStream } from './event-stream.ts'
import { parametersOf } from './query.ts'
import { replyOutcome, replyRefusal, replyThrown, tooOften } from './reply.ts'
import { RouteTable, type Match } from './route-table.ts'

/** Headers a row never sees: what they carry is the gateway's own business. */
const WITHHELD = new Set(['authorization', 'cookie', 'proxy-authorization', 'x-openclaw-token', 'x-openclaw-password'])
/** A row that checks a credential of its own is shown where such a one may be. */
const WITHHELD_FROM_OWN = new Set(['cookie', 'proxy-authorization'])

/** The caller of what is public: nobody, with no scope. */
const PUBLIC: Caller = Object.freeze({ id: 'public', scopes: [], origin: 'stranger' })

/** Answers one request. Never throws, and always replies unless the client has gone. */
export function serve(front: Front, received: Exchange): void {
  const names = front.names()
  const exchange = crossOrigin(received, names)
  const turnedAway = checkHost(exchange, names) ?? checkOrigin(exchange, names)
  if (turnedAway) {
    replyRefusal(exchange, turnedAway.refusal, turnedAway.status)
    return
  }
  const generation = front.core.current()
  if (isPreflight(exchange)) {
    answerPreflight(exchange, names, RouteTable.of(generation).verbsAt(exchange.path))
    return
  }
  const match = RouteTable.of(generation).find(exchange.method, exchange.path)
  const caller = admit(front, exchange, match)
  if (!caller) return
  if (!match) {
    refuseUnknown(exchange, generation)
    return
  }
  try {
    const underWay = carryOut({ front, exchange, generation, match, caller })
    if (!underWay) return
    // However long the body takes, what the request leads to is not stopped before it.
    const place = generation.calls.enter(exchange)
    const leave = () => {
      generation.calls.leave(place)
      bodyRoom.leave(exchange)
    }
    underWay.then(leave, (thrown: unknown) => {
      leave()
      fail(front, exchange, thrown)
    })
  } catch (thrown) {
    fail(front, exchange, thrown)
  }
}

/** Answers what was thrown on the way. A refusal is for the client to read; anything else is a bug, for the owner. */
function fail(front: Front, exchange: Exchange, thrown: unknown): void {
  if (!isRpcError(thrown) || thrown.code === 'internal') front.core.log.error(`${exchange.method} ${exchange.path} failed`, { err: thrown })
  replyThrown(exchange, thrown)
}

/** Who it is, or undefined once the refusal has been sent. */
function admit(front: Front, exchange: Exchange, match: Match | undefined): Caller | undefined {
  const auth = match?.bound.item.auth
  if (auth === 'public') return PUBLIC
  if (auth === 'own') return admitStranger(front, exchange)
  const verdict = front.auth().authenticateHead(exchange)
  if (verdict.refusal) {
    replyRefusal(exchange, verdict.refusal)
    return undefined
  }
  const wait = front.throttle().take(verdict.caller.id, 'request')
  if (wait === undefined) return verdict.caller
  replyRefusal(exchange, tooOften(wait))
  return undefined
}

/** Who comes to a row with a credential of its own is nobody yet, and held to the rate of an address. */
function admitStranger(front: Front, exchange: Exchange): Caller | undefined {
  const address = exchange.remoteAddress
  const wait = front.throttle().take(`address:${address}`, 'request')
  if (wait === undefined) return Object.freeze({ ...PUBLIC, address })
  replyRefusal(exchange, tooOften(wait))
  return undefined
}

function refuseUnknown(exchange: Exchange, generation: Generation): void {
  const verbs = RouteTable.of(generation).verbsAt(exchange.path)
  if (verbs.length === 0) {
    replyRefusal(exchange, { code: 'not_found', message: `There is nothing at ${exchange.path}` })
    return
  }
  const allow = verbs.includes('GET') ? [...verbs, 'HEAD'] : verbs
  const allowed = allow.join(', ')
  const message = `${exchange.path} takes ${allowed}, not ${exchange.method}`
  replyRefusal(exchange, { code: 'invalid_request', message }, 405, { allow: allowed })
}

/** A request that has been let in and leads to a row. */
interface Job {
  readonly front: Front
  readonly exchange: Exchange
  readonly generation: Generation
  readonly match: Match
  readonly caller: Caller
}

/** From the body to the reply. A request without a body whose method answers at once is answered at once. */
function carryOut(job: Job): void | Promise<void> {
  const { front, exchange, match } = job
  const { bodyBytes, timeoutSeconds } = front.limits()
  const bounds = { clock: front.core.clock, bytes: leastBytes(match, bodyBytes), seconds: timeoutSeconds }
  const body = match.bound.item.body === 'text' ? readTextBody(exchange, bounds) : readBody(exchange, bounds)
  return body === undefined ? withBody(job, body) : body.then((read) => withBody(job, read))
}

/** The smaller of the gateway's bound and the one the row's plugin has for it in its config; 0 is none. */
function leastBytes({ bound: { item, instance } }: Match, gatewayBytes: number): number {
  const own = item.maxBody === undefined ? undefined : instance.config[item.maxBody]
  if (typeof own !== 'number' || own <= 0) return gatewayBytes
  return gatewayBytes === 0 ? own : Math.min(own, gatewayBytes)
}

function withBody(job: Job, body: Json | undefined): void | Promise<void> {
  const { exchange, front, match } = job
  const { decode, auth } = match.bound.item
  if (!decode) return make(job, plainParams(job, body), undefined)
  const withheld = auth === 'own' ? WITHHELD_FROM_OWN : WITHHELD
  const headers = Object.fromEntries([...exchange.headers].filter(([name]) => !withheld.has(name)))
  const request = { path: exchange.path, segments: match.segments, query: parametersOf(exchange.query), headers, body }
  const decoded = spelledInTime(decode(request), front.core.clock, `The row of ${exchange.path}`)
  return decoded instanceof Promise ? decoded.then((late) => withDecoded(job, late)) : withDecoded(job, decoded)
}

/** What a row without a `decode` of its own calls its method with. */
function plainParams({ exchange, generation, match }: Job, body: Json | undefined): JsonObject {
  if (body !== undefined && !isObject(body)) throw new RpcError('invalid_request', 'Invalid request body: it must be a JSON object')
  const query = parametersOf(exchange.query)
  const schema = generation.methods.get(match.bound.item.call)?.item.params
  // What the path names is what the request is about, whatever else it says.
  return Object.freeze({ ...coerced(query, schema), ...body, ...coerced(match.segments, schema) })
}

function withDecoded(job: Job, decoded: RouteDecoded): void | Promise<void> {
  if (!('refuse' in decoded)) return make(job, jsonCopy(decoded.params, `the row of ${job.exchange.path}`, 'held') as JsonObject, decoded)
  replyRefusal(job.exchange, decoded.refuse)
}

type Wanted = Exclude<RouteDecoded, { readonly refuse: unknown }>

/** Makes the call and answers how it ended. */
function make(job: Job, params: JsonObject, wanted: Wanted | undefined): void | Promise<void> {
  const { front, exchange, caller, generation, match } = job
  const route = match.bound.item
  const state = wanted?.state ?? null
  const events = wanted?.stream && route.encode ? streamOf(job, route.encode, state, () => call) : undefined
  const method = route.call === '*' ? namedMethod(exchange, wanted) : route.call
  const call: Call = new Call({ core: front.core, caller, method, sink: events, generation, isCounted: true, rowOf: match.bound.instance })
  let answer: unknown
  try {
    answer = dispatch(call, params)
  } catch (thrown) {
    return tell(job, events, state, refused(thrown))
  }
  if (!(answer instanceof Promise)) return tell(job, events, state, succeeded(answer))
  const stopListening = cancelWithClient(job.exchange, call)
  return endOf(call, answer, wanted?.patienceMs).then((outcome) => {
    stopListening()
    return tell(job, events, state, outcome)
  })
}

function namedMethod({ path }: Exchange, wanted: Wanted | undefined): string {
  if (wanted?.method !== undefined) return wanted.method
  throw new RpcError('internal', `The row of ${path} calls any method, and named none`)
}

function streamOf({ front, exchange }: Job, encode: NonNullable<Route['encode']>, state: Json, call: () => Call): EventStream {
  const failed = (thrown: unknown) => {
    const isGone = isRpcError(thrown) && thrown.code === 'cancelled'
    if (!isGone) front.core.log.error(`The stream of ${exchange.path} failed`, { err: thrown })
    call().cancel(isGone ? clientGone() : new RpcError('cancelled', 'Nobody can be told the answer'))
  }
  return new EventStream({ exchange, encode, state, clock: front.core.clock, failed })
}

/**
 * Cancels the call when the client goes away, or at once where it has gone already. Looked at only once this turn is over:
 * most calls have settled by then, and a signal costs more than all the rest of a small request.
 */
function cancelWithClient(exchange: Exchange, call: Call): () => void {
  let signal: AbortSignal | undefined
  const cancel = () => call.cancel(clientGone())
  const lookAway = afterTurn(() => {
    signal = exchange.signal
    if (signal.aborted) cancel()
    else signal.addEventListener('abort', cancel, { once: true })
  })
  return () => {
    lookAway()
    signal?.removeEventListener('abort', cancel)
  }
}

function tell({ front, exchange, match }: Job, events: EventStream | undefined, state: Json, ended: Outcome): void | Promise<void> {
  const { core } = front
  const outcome = match.bound.item.auth === 'own' ? counted(front, exchange, ended) : ended
  if (events) return events.end(outcome).then(() => core.events.forget(events))
  const { encode } = match.bound.item
  if (!encode) return replyOutcome(exchange, outcome)
  const encoded = spelledInTime(encode({ kind: 'outcome', outcome }, state, core.clock.now()), core.clock, `The row of ${exchange.path}`)
  if (!(encoded instanceof Promise)) return replyOutcome(exchange, outcome, encoded)
  return encoded.then((late) => replyOutcome(exchange, outcome, late))
}

/** A wrong credential of a row's own is a failed authentication like any other. */
function counted(front: Front, exchange: Exchange, outcome: Outcome): Outcome {
  if (outcome.ok || outcome.refusal.code !== 'unauthorized') return outcome
  const lockedOut = front.auth().turnedAway(exchange)
  return lockedOut ? { ok: false, refusal: lockedOut } : outcome
}

function clientGone(): RpcError {
  return new RpcError('cancelled', 'The client closed the request')
}
