/**
 * The methods the kernel serves itself, because only it can: what is loaded, who may come in, and who hears what. They are
 * a plugin like any other, except that they were handed what no plugin gets.
 */
import {
  API_VERSION,
  definePlugin,
  jsonCopy,
  RpcError,
  SCOPES,
  type Context,
  type Json,
  type JsonObject,
  type MethodRegistry,
  type Plugin,
} from '@isopod/plugin-api'
import type { TokenBook } from './auth/tokens.ts'
import { CallContext } from './call-context.ts'
import type { ConfigSource } from './config/config.ts'
import type { EventSink } from './events.ts'
import type { Kernel } from './kernel.ts'
import type { Source } from './lifecycle/catalog.ts'

export interface OwnParts {
  readonly kernel: () => Kernel
  readonly tokens: TokenBook
  readonly config: ConfigSource
  /** Resolves once the config in force has been applied. */
  readonly settled: () => Promise<unknown>
  /** Brings a plugin anew though nothing about it has changed. */
  readonly renew: (id: string) => Promise<unknown>
}

/** The kernel as a source of methods, to be wanted like any plugin. */
export function ownMethods(parts: OwnParts, version: string): Source {
  const plugin: Plugin = definePlugin((gateway) => {
    gateway.hooks.methods.tap('kernel', (methods) => {
      addDescriptions(methods, parts)
      addEvents(methods, parts)
      addPlugins(methods, parts)
      addTokens(methods, parts)
    })
  })
  const manifest = Object.freeze({ id: 'kernel', name: '@isopod/kernel', version, entry: '', api: `^${API_VERSION}`, needs: {} })
  return { manifest, plugin, builtIn: true }
}

function addDescriptions(methods: MethodRegistry, { kernel }: OwnParts): void {
  methods.add({
    name: 'system.methods',
    description: 'Every method that may be called from outside: scope, parameters and who serves it.',
    scope: 'read',
    handle: () => {
      const all = [...kernel().generation.methods.values()].filter(({ item }) => !item.internal)
      const described = all.map(({ item: { handle: _, ...declaration }, instance }) => ({ ...declaration, plugin: instance.label }))
      return { methods: described.sort((left, right) => (left.name < right.name ? -1 : 1)) }
    },
  })
}

const EVENT_NAMES = {
  type: 'object',
  required: ['events'],
  additionalProperties: false,
  properties: { events: { type: 'array', minItems: 1, maxItems: 100, items: { type: 'string', maxLength: 64, pattern: '^[a-z]+(\\.[a-z]+)?$' } } },
} as const

function addEvents(methods: MethodRegistry, { kernel }: OwnParts): void {
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

const PLUGIN_ID = {
  type: 'object',
  required: ['id'],
  additionalProperties: false,
  properties: { id: { type: 'string', minLength: 1 } },
} as const

function addPlugins(methods: MethodRegistry, parts: OwnParts): void {
  const { kernel } = parts
  methods.add({
    name: 'plugin.list',
    description: 'Every plugin, its state, and why one failed.',
    scope: 'read',
    handle: () => ({ generation: kernel().generation.number, plugins: kernel().rows() }),
  })
  methods.add({
    name: 'plugin.inspect',
    description: 'One plugin and everything it contributes.',
    scope: 'read',
    params: PLUGIN_ID,
    handle: ({ id }) => inspected(kernel(), id),
  })
  for (const [name, enabled] of [['plugin.enable', true], ['plugin.disable', false]] as const) {
    methods.add({
      name,
      description: `Switches a plugin ${enabled ? 'on' : 'off'} in the config file, and answers its row once that is in force.`,
      scope: 'admin',
      params: PLUGIN_ID,
      handle: ({ id }) => switched(parts, id, enabled),
    })
  }
}

function rowOf(kernel: Kernel, id: string): JsonObject {
  const row = kernel.rows().find((one) => one.id === id)
  if (!row) throw new RpcError('not_found', `There is no plugin ${id}`, { param: 'id' })
  const { failed, ...rest } = row
  return { ...rest, ...(failed && { failed: { ...failed } }) }
}

function inspected(kernel: Kernel, id: string): Json {
  const row = rowOf(kernel, id)
  const instance = kernel.generation.instances.get(id)
  if (!instance) return row
  const { methods, routes, dialects, tools, models, taps } = instance.registration
  return jsonCopy(
    {
      ...row,
      needs: instance.manifest.needs,
      methods: methods.map((one) => one.name),
      routes: routes.map((one) => `${one.verb} ${one.path}`),
      dialects: dialects.map((one) => one.name),
      tools: tools.map((one) => one.name),
      models: models.map((one) => one.name),
      taps: taps.map((one) => `${one.hook} (${one.name})`),
    },
    'plugin.inspect',
  )
}

async function switched({ kernel, config, settled, renew }: OwnParts, id: string, enabled: boolean): Promise<Json> {
  const before = rowOf(kernel(), id)
  // The owner may have saved the file a moment ago: what is switched is the file as it stands now.
  await config.reload()
  await config.update({ plugins: { [id]: { enabled } } }, { revision: config.revision })
  await settled()
  // What failed is not tried again by itself while nothing about it changes: whoever switches it on asks for that.
  if (enabled && before['failed'] !== undefined && rowOf(kernel(), id)['failed'] !== undefined) await renew(id)
  return rowOf(kernel(), id)
}

function addTokens(methods: MethodRegistry, { tokens }: OwnParts): void {
  methods.add({
    name: 'token.list',
    description: 'Every token by name; never the tokens themselves.',
    scope: 'admin',
    handle: () => ({ tokens: tokens.list().map((one) => ({ ...one })) }),
  })
  methods.add({
    name: 'token.create',
    description: 'Makes a token and shows it this once. It can do no more than the token that made it.',
    scope: 'admin',
    params: {
      type: 'object',
      required: ['name', 'scopes'],
      additionalProperties: false,
      properties: {
        name: { type: 'string', minLength: 1 },
        scopes: { type: 'array', minItems: 1, items: { enum: SCOPES } },
        expiresInDays: { type: 'number', exclusiveMinimum: 0, maximum: 36_500 },
      },
    },
    handle: async ({ name, scopes, expiresInDays }, ctx) => {
      const wish = { name, scopes, ...(expiresInDays !== undefined && { expiresAt: ctx.now() + expiresInDays * 86_400_000 }) }
      const { token, listing } = await tokens.create(wish, ctx.caller.scopes)
      return { token, ...listing }
    },
  })
  methods.add({
    name: 'token.revoke',
    description: 'Ends a token, by id or name; its sockets are closed.',
    scope: 'admin',
    params: { type: 'object', required: ['token'], additionalProperties: false, properties: { token: { type: 'string', minLength: 1 } } },
    handle: async ({ token }) => ({ ...(await tokens.revoke(token)) }),
  })
}
