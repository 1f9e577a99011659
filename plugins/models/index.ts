/**
 * Language models: which there are, which one a name means, and how one is asked. Four kinds of API are served here; another
 * plugin may serve more. No provider's package is loaded before the first request that needs it.
 */
import { definePlugin, RpcError, type Context, type JsonObject, type ModelPart, type ModelProvider } from '@isopod/plugin-api'
import type { ModelStream } from './contract.ts'
import { Environment } from './environment.ts'
import { offers } from './offers.ts'
import { Roster, type Provider, type Seat, type Settings } from './roster.ts'
import { StandIns } from './stand-ins.ts'
import type { VENDORS } from './vendors.ts'

/** What is served here. */
const OWN_APIS: readonly string[] = ['openai', 'anthropic', 'openai-compatible', 'offline']

const environment = new Environment()
const standIns = new StandIns()

export default definePlugin({
  register(gateway) {
    gateway.hooks.methods.tap('models', (methods) => {
      methods.add({
        name: 'model.list',
        description: 'The models that can be asked, the default first.',
        scope: 'read',
        params: { type: 'object', additionalProperties: false },
        handle: async (_params, ctx) => ({ models: await offers(rosterFor(ctx), ctx) }),
      })
      methods.add({
        name: 'model.resolve',
        description: 'Which configured model a requested name means.',
        scope: 'read',
        internal: true,
        params: { type: 'object', additionalProperties: false, properties: { model: { type: 'string' } } },
        handle: ({ model }, ctx) => resolve(model, ctx),
      })
      methods.add({
        name: 'model.check',
        description: 'Warns of configured providers whose API nobody serves.',
        scope: 'read',
        internal: true,
        params: { type: 'object', additionalProperties: false },
        handle: (_params, ctx) => check(ctx),
      })
      methods.add({
        name: 'model.stream',
        description: 'One answer of a model, as a stream of parts.',
        scope: 'read',
        internal: true,
        streams: true,
        // The call it serves has the deadline; a provider that falls silent is noticed by the connection.
        deadlineMs: 0,
        params: {
          type: 'object',
          additionalProperties: false,
          required: ['id', 'request'],
          properties: { id: { type: 'string' }, request: { type: 'object', required: ['messages'] } },
        },
        // The conversation inside was checked by the method that takes it from a client.
        handle: (params, ctx) => stream(params as unknown as ModelStream, ctx),
      })
    })
    gateway.hooks.models.tap('models', (models) => {
      models.add({ name: 'openai', description: 'OpenAI, by its chat completions', stream: through('openai') })
      models.add({ name: 'anthropic', description: 'Anthropic, by its messages', stream: through('anthropic') })
      models.add({ name: 'openai-compatible', description: 'Servers that speak OpenAI\'s chat completions', stream: through('openai-compatible') })
      models.add({ name: 'offline', description: 'No model: echoes, and obeys commands', stream: alone })
    })
  },
  async start(ctx) {
    environment.read(process.env)
    const roster = new Roster(ctx.config, environment)
    if (roster.wanted?.served === false) {
      ctx.log.warn(`models.default is ${roster.wanted.name}, but no such provider is configured: ${roster.default} answers instead`)
    }
    // Which APIs other plugins serve is only told to a handler, and is worth a call only where one of them is wanted.
    if ([...roster.providers.values()].some(({ api }) => !OWN_APIS.includes(api))) await ctx.call('model.check')
  },
})

function rosterFor(ctx: Context): Roster {
  return new Roster(ctx.config, environment)
}

/** Asks a vendor, whose code is loaded by the first request. */
function through(api: keyof typeof VENDORS): ModelProvider['stream'] {
  return async function* ({ request, settings }, ctx) {
    const { answer, VENDORS } = await import('./vendors.ts')
    // `stream` below is the only one who asks, and these are the settings it sends.
    yield* answer(VENDORS[api], environment, { request, settings: settings as unknown as Settings }, ctx)
  }
}

async function* alone({ request }: Parameters<ModelProvider['stream']>[0], ctx: Context): AsyncGenerator<ModelPart> {
  const { offline } = await import('./offline.ts')
  yield* offline({ request }, ctx)
}

function resolve(model: string | undefined, ctx: Context): JsonObject {
  const roster = rosterFor(ctx)
  if (model === undefined || roster.find(model)) return { id: model ?? roster.default, known: true }
  standIns.note(model, roster.default, ctx.log)
  return { id: roster.default, known: false }
}

async function* stream({ id, request }: ModelStream, ctx: Context): AsyncGenerator {
  const seat = rosterFor(ctx).find(id)
  if (!seat) throw new RpcError('not_found', `No configured provider serves the model ${id}`, { param: 'model' })
  await mustBeServed(seat, ctx)
  const { api, models: _names, ...settings } = seat.provider
  // Everything in it is JSON: the request passed the wire, the settings came from the config.
  yield* ctx.useModel(api, { request: { ...request, model: seat.model }, settings: { api, ...settings } } as unknown as JsonObject)
}

async function check(ctx: Context): Promise<null> {
  const served = await apisServed(ctx)
  for (const provider of rosterFor(ctx).providers.values()) if (!served.includes(provider.api)) ctx.log.warn(unserved(provider, served))
  return null
}

/** The config's schema cannot know which APIs plugins serve; said at the start, a misspelt one is refused when it is used. */
async function mustBeServed({ provider }: Seat, ctx: Context): Promise<void> {
  const served = await apisServed(ctx)
  if (!served.includes(provider.api)) throw new RpcError('unavailable', unserved(provider, served), { retryable: false })
}

async function apisServed(ctx: Context): Promise<readonly string[]> {
  return (await ctx.catalog('models')).map(({ name }) => name).filter((name) => typeof name === 'string')
}

function unserved({ id, api }: Provider, served: readonly string[]): string {
  return `models.providers.${id}.api is ${api}, which no plugin serves. Choose one of ${served.join(', ')}`
}
