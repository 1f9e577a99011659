/**
 * Whether the gateway lives, is well, and may get traffic: three questions that watchers ask by different URLs. `live` only
 * says that it answers, so that nobody restarts a gateway for a full disk; `ready` and the plain question also say why not.
 */
import type {
  Context,
  GatewayFacts,
  JsonObject,
  Route,
  RouteEncoded,
  RouteHappening,
  Schema,
  TypedMethod,
} from '@isopod/plugin-api'

// Further parameters are let through: watchers add cache busters and words like `verbose` to the URL.
const PARAMS = { type: 'object', properties: { probe: { enum: ['live', 'ready'] } } } as const

const RESULT: Schema = {
  type: 'object',
  required: ['ok', 'status'],
  properties: {
    ok: { type: 'boolean' },
    status: { enum: ['healthy', 'unhealthy', 'live', 'ready', 'not_ready'] },
    troubles: { type: 'array', items: { type: 'string' } },
  },
}

export const health: TypedMethod<typeof PARAMS> = {
  name: 'system.health',
  description: 'Whether the gateway is well; with `probe`, whether it lives (`live`) or may get traffic (`ready`).',
  scope: 'public',
  params: PARAMS,
  result: RESULT,
  // The busiest method of all answers in its own turn where it can, so that nothing has to wait for it.
  handle({ probe }, ctx) {
    if (probe === 'live') return { ok: true, status: 'live' }
    const facts = ctx.gateway()
    return facts instanceof Promise ? facts.then((late) => answered(late, probe, ctx)) : answered(facts, probe, ctx)
  },
}

function answered(facts: GatewayFacts, probe: 'ready' | undefined, ctx: Context): JsonObject {
  return probe === 'ready' ? readiness(facts, ctx) : condition(facts, ctx)
}

function condition(facts: GatewayFacts, ctx: Context): JsonObject {
  return facts.troubles.length === 0 ? { ok: true, status: 'healthy' } : { ok: false, status: 'unhealthy', ...why(facts, ctx) }
}

function readiness(facts: GatewayFacts, ctx: Context): JsonObject {
  const ok = facts.listening && facts.troubles.length === 0
  return ok ? { ok, status: 'ready' } : { ok, status: 'not_ready', ...why(facts, ctx) }
}

/** The reasons are for who holds a credential: a stranger at a public URL learns that something is wrong, not what. */
function why(facts: GatewayFacts, ctx: Context): JsonObject {
  if (!ctx.caller.scopes.includes('read') || facts.troubles.length === 0) return {}
  return { troubles: facts.troubles }
}

/** 503 for what is not ok, so that a balancer needs to read no body; the body itself stays the method's result. */
function encode(what: RouteHappening): RouteEncoded | undefined {
  if (what.kind !== 'outcome' || !what.outcome.ok) return undefined
  // The value is this file's own result, as its schema says.
  const result = what.outcome.value as JsonObject
  return result['ok'] === true ? undefined : { status: 503, body: result }
}

function row(path: string, summary: string, probe?: 'live' | 'ready'): Route {
  const route = { verb: 'GET', path, call: 'system.health', auth: 'public', describe: { summary, reply: RESULT, otherReplies: { 503: RESULT } }, encode } as const
  return probe ? { ...route, decode: () => ({ params: { probe } }) } : route
}

/** `/health` is the busiest URL of all: it decodes nothing, and encodes only when something is wrong. */
export const healthRoutes: readonly Route[] = [
  row('/health', 'Whether the gateway is well'),
  row('/healthz', 'Whether the gateway lives', 'live'),
  row('/ready', 'Whether the gateway may get traffic', 'ready'),
  row('/readyz', 'Whether the gateway may get traffic', 'ready'),
]
