/**
 * Who may be asked: the configured providers, those of the environment, and the offline model, by id; and which of their
 * models answers where none is named. It is made anew from the config for each call and keeps nothing. It does not know what
 * a provider's protocol looks like.
 */
import type { Json, JsonObject } from '@isopod/plugin-api'
import type { Environment } from './environment.ts'

/** The model that is always there. */
export const OFFLINE = 'isopod/offline'

/** A provider that may be asked. */
export interface Provider {
  readonly id: string
  readonly api: string
  /** A reference to a secret of the config, or `{ environment: NAME }`. Never the key. */
  readonly apiKey?: Json
  readonly baseUrl?: string
  /** By name; values are references to secrets of the config. */
  readonly headers?: JsonObject
  /** The names it is listed with, its default first. */
  readonly models: readonly string[]
}

/** What travels to a provider's own code with each request. */
export type Settings = Omit<Provider, 'models'>

/** A model and who serves it. */
export interface Seat {
  readonly provider: Provider
  /** The provider's own name of the model; may contain slashes. */
  readonly model: string
}

/** What a provider of an API is asked for where its config names no models: models its vendor offers under these names. */
const DEFAULT_MODELS: Readonly<Record<string, readonly string[]>> = { anthropic: ['claude-sonnet-5'], openai: ['gpt-5'] }

const OFFLINE_PROVIDER: Provider = { id: 'isopod', api: 'offline', models: ['offline'] }

export class Roster {
  /** In the order of the config, then of the environment, then the offline model. */
  readonly providers: ReadonlyMap<string, Provider>
  /** The default the config names, and whether it can be asked. */
  readonly wanted: { readonly name: string; readonly served: boolean } | undefined

  constructor(config: JsonObject, environment: Environment) {
    // The shape below is what the manifest's schema lets through.
    const given = config as { readonly default?: string; readonly providers?: Readonly<Record<string, JsonObject>> }
    const providers = new Map<string, Provider>()
    for (const [id, settings] of Object.entries(given.providers ?? {})) providers.set(id, configured(id, settings, environment))
    for (const { id, api, keyVariable, baseUrl } of environment.providers()) {
      const found = { id, api, apiKey: { environment: keyVariable }, models: DEFAULT_MODELS[api] ?? [], ...(baseUrl !== undefined && { baseUrl }) }
      if (!providers.has(id)) providers.set(id, found)
    }
    providers.delete(OFFLINE_PROVIDER.id)
    providers.set(OFFLINE_PROVIDER.id, OFFLINE_PROVIDER)
    this.providers = providers
    this.wanted = given.default === undefined ? undefined : { name: given.default, served: this.find(given.default) !== undefined }
  }

  /** Who serves a name of the form `provider/model`, if that provider can be asked. Only the first slash divides. */
  find(name: string): Seat | undefined {
    const slash = name.indexOf('/')
    const model = name.slice(slash + 1)
    const provider = slash > 0 && model !== '' ? this.providers.get(name.slice(0, slash)) : undefined
    if (!provider || (provider === OFFLINE_PROVIDER && model !== 'offline')) return undefined
    return { provider, model }
  }

  /** The model for whoever names none: the config's, else the first provider's first, which is at last the offline one. */
  get default(): string {
    if (this.wanted?.served) return this.wanted.name
    for (const { id, models } of this.providers.values()) {
      if (models[0] !== undefined) return `${id}/${models[0]}`
    }
    return OFFLINE
  }

  /** Every name a model is listed with, each once; the default is among them. */
  names(): readonly string[] {
    const listed = [...this.providers.values()].flatMap(({ id, models }) => models.map((model) => `${id}/${model}`))
    return [...new Set([this.default, ...listed])]
  }
}

/** A provider of the config. What it leaves out, the environment may give. */
function configured(id: string, settings: JsonObject, environment: Environment): Provider {
  // The shape is what the manifest's schema lets through.
  const { api, apiKey, baseUrl, headers, models } = settings as unknown as Omit<Provider, 'models'> & { readonly models?: readonly string[] }
  const address = baseUrl ?? environment.baseUrl(api)
  const key = apiKey ?? keyFromEnvironment(api, baseUrl, environment)
  return {
    id,
    api,
    models: models?.length ? models : (DEFAULT_MODELS[api] ?? []),
    ...(key !== undefined && { apiKey: key }),
    ...(address !== undefined && { baseUrl: address }),
    ...(headers !== undefined && { headers }),
  }
}

/** A key of the environment belongs to the vendor, or to the address that stands beside it: never to one from the config. */
function keyFromEnvironment(api: string, baseUrl: string | undefined, environment: Environment): Json | undefined {
  const variable = baseUrl === undefined ? environment.keyVariable(api) : undefined
  return variable === undefined ? undefined : { environment: variable }
}
