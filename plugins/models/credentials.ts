/**
 * What a provider is shown: its key and its headers, as text. They are revealed right before a request and held no longer
 * than it lasts. Whatever is told of the request afterwards goes through `redacted`, because providers like to repeat a key
 * they did not accept.
 */
import { isRpcError, RpcError, type Context, type Json, type JsonObject } from '@isopod/plugin-api'
import { Environment } from './environment.ts'
import type { Settings } from './roster.ts'

/** What HTTP allows in a header's value. */
const HEADER_TEXT = /^[\t\x20-\x7e\x80-\xff]*$/
/** How keys of the usual vendors look, whole or with stars in the middle as they repeat them. */
const KEY_LIKE = /\b(?:sk|rk|pk|key|gsk|xai)-[A-Za-z0-9_*-]{6,}/g
/** The headers in which the vendors take a key. */
const KEY_HEADER = /^(?:authorization|x-api-key)$/i
/** A shorter secret would take ordinary words out of a sentence. */
const SHORTEST_SECRET = 4

export class Credentials {
  readonly key: string
  readonly headers: Readonly<Record<string, string>>

  constructor(key: string, headers: Readonly<Record<string, string>>) {
    this.key = key
    this.headers = headers
  }

  /** A text without any of the secrets. */
  redacted(text: string): string {
    const secrets = [this.key, ...Object.values(this.headers)].filter((secret) => secret.length >= SHORTEST_SECRET)
    return secrets.reduce((rest, secret) => rest.replaceAll(secret, '[redacted]'), text).replace(KEY_LIKE, '[redacted]')
  }
}

/** Throws `unavailable` for a secret that cannot be sent or is missing, naming the field of the config where it belongs. */
export async function credentialsOf(settings: Settings, environment: Environment, ctx: Context): Promise<Credentials> {
  const fields = `models.providers.${settings.id}`
  const key = await secretText(settings.apiKey, { field: `${fields}.apiKey`, environment, ctx })
  const headers: Record<string, string> = {}
  for (const [name, reference] of Object.entries(settings.headers ?? {})) {
    headers[name] = await secretText(reference, { field: `${fields}.headers.${name}`, environment, ctx })
  }
  const credentials = new Credentials(key, headers)
  mustHaveKey(credentials, settings)
  return credentials
}

/** At its own address a vendor refuses everyone without a key; at another there may be a server that needs none, or a proxy that has it. */
function mustHaveKey({ key, headers }: Credentials, { id, api, baseUrl }: Settings): void {
  const variable = baseUrl === undefined ? Environment.variableFor(api) : undefined
  if (variable === undefined || key !== '' || Object.keys(headers).some((name) => KEY_HEADER.test(name))) return
  throw new RpcError('unavailable', `${id} has no key: set ${variable}, or models.providers.${id}.apiKey`, { retryable: false })
}

interface Source {
  readonly field: string
  readonly environment: Environment
  readonly ctx: Context
}

async function secretText(reference: Json | undefined, { field, environment, ctx }: Source): Promise<string> {
  if (reference === undefined) return ''
  const variable = typeof reference === 'object' && reference !== null ? (reference as JsonObject)['environment'] : undefined
  const text = typeof variable === 'string' ? (environment.key(variable) ?? '') : (await revealed(reference, field, ctx)).trim()
  if (HEADER_TEXT.test(text)) return text
  const source = typeof variable === 'string' ? variable : field
  throw new RpcError('unavailable', `${source} holds characters that cannot be sent: copy it again, as one line`, { retryable: false })
}

async function revealed(reference: Json, field: string, ctx: Context): Promise<string> {
  try {
    return await ctx.reveal(reference)
  } catch (thrown) {
    if (!isRpcError(thrown) || thrown.code !== 'not_found') throw thrown
    throw new RpcError('unavailable', `${field} names a secret that is not there`, { retryable: false, cause: thrown })
  }
}
