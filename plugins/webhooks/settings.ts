/** The config of webhooks as its handlers read it. The manifest's schema has checked it. */
import type { Context } from '@isopod/plugin-api'
import type { Signature } from './signature.ts'
import type { MappingConfig } from './mapping.ts'

/** "maxBodyBytes: 262144", seed 004. */
const BODY_BYTES = 262_144

export interface Settings {
  readonly enabled: boolean
  /** A reference to the secret. */
  readonly token: Context['config'][string] | undefined
  readonly maxBodyBytes: number
  readonly allowRequestSessionKey: boolean
  readonly mappings: readonly (MappingConfig & { readonly signature?: Signature })[]
}

export function settingsOf({ config }: Pick<Context, 'config'>): Settings {
  const { enabled = false, token, maxBodyBytes = BODY_BYTES, allowRequestSessionKey = false, mappings = [] } = config
  // Each field is of the type that the manifest's schema asks for.
  return { enabled, token, maxBodyBytes, allowRequestSessionKey, mappings } as unknown as Settings
}
