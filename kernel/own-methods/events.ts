/** Who hears what: a socket names the events it wants beside those of its own runs. */
import { RpcError, type Context, type MethodRegistry } from '@isopod/plugin-api'
import { CallContext } from '../call-context.ts'
import type { EventSink } from '../events.ts'
import type { OwnParts } from './parts.ts'

const EVENT_NAMES = {
  type: 'object',
  required: ['events'],
  additionalProperties: false,
  properties: { events: { type: 'array', minItems: 1, maxItems: 100, items: { type: 'string', maxLength: 64, pattern: '^[a-z]+(\\.[a-z]+)?$' } } },
} as const

export function addEvents(methods: MethodRegistry, { kernel }: OwnParts): void {
  const { events } = kernel().core
  methods.add({
    name: 'events.subscribe',
    description: 'Adds events to what this socket hears beside its own runs.',
    scope: 'read',
    params: EVENT_NAMES,
    handle: (params, ctx) => ({ events: events.subscribe(earOf(ctx), ctx.caller, params.events) }),
  })
  methods.add({
    name: 'events.unsubscribe',
    description: 'Takes events away from what this socket hears.',
    scope: 'read',
    params: EVENT_NAMES,
    handle: (params, ctx) => ({ events: events.unsubscribe(earOf(ctx), params.events) }),
  })
}

function earOf(ctx: Context): EventSink {
  const ear = CallContext.earOf(ctx)
  if (!ear) throw new RpcError('invalid_request', 'Events are heard on a WebSocket; this call came another way')
  return ear
}
