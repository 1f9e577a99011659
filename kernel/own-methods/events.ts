/** Who hears what: a socket names the events it wants beside those of its own runs. */
import { RpcError, type Caller, type Context, type MethodRegistry, type Scope } from '@isopod/plugin-api'
import { CallContext } from '../call-context.ts'
import type { EventSink } from '../events.ts'
import type { OwnParts } from './parts.ts'

const EVENT_NAMES = {
  type: 'object',
  required: ['events'],
  additionalProperties: false,
  properties: { events: { type: 'array', minItems: 1, maxItems: 100, items: { type: 'string', maxLength: 64, pattern: '^[a-z]+(\\.[a-z]+)?$' } } },
} as const

/** What may be heard by fewer than may read. */
const SCOPES_OF_EVENTS: Readonly<Record<string, Scope>> = { 'log.line': 'admin' }

export function addEvents(methods: MethodRegistry, { kernel, followers }: OwnParts): void {
  const { events } = kernel().core
  methods.add({
    name: 'events.subscribe',
    description: 'Adds events to what this socket hears beside its own runs.',
    scope: 'read',
    params: EVENT_NAMES,
    handle: (params, ctx) => {
      const ear = earOf(ctx)
      for (const name of params.events) mustHear(ctx.caller, name)
      const heard = events.subscribe(ear, ctx.caller, params.events)
      if (params.events.includes('log.line')) followers.subscribed(ear, () => events.hears(ear, 'log.line'))
      return { events: heard }
    },
  })
  methods.add({
    name: 'events.unsubscribe',
    description: 'Takes events away from what this socket hears.',
    scope: 'read',
    params: EVENT_NAMES,
    handle: (params, ctx) => ({ events: events.unsubscribe(earOf(ctx), params.events) }),
  })
}

function mustHear({ scopes }: Caller, name: string): void {
  const scope = Object.hasOwn(SCOPES_OF_EVENTS, name) ? SCOPES_OF_EVENTS[name] : undefined
  if (scope && !scopes.includes(scope)) throw new RpcError('forbidden', `Hearing ${name} needs the scope \`${scope}\``, { param: 'events' })
}

function earOf(ctx: Context): EventSink {
  const ear = CallContext.earOf(ctx)
  if (!ear) throw new RpcError('invalid_request', 'Events are heard on a WebSocket; this call came another way')
  return ear
}
