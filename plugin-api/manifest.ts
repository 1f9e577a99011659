/**
 * The manifest: who a plugin is and what it needs, read from its `package.json` before any of its code runs. The schema is
 * closed: a key this gateway does not know is refused, because a wish that is passed over in silence looks granted.
 */
import type { Schema } from './schema.ts'

/** The plugin API's own version, which `isopod.api` ranges over. */
export const API_VERSION = '1.0.0'

export interface Manifest {
  readonly id: string
  readonly name: string
  readonly version: string
  readonly description?: string
  /** The entry module, relative to the package. */
  readonly entry: string
  /** The versions of the plugin API it works with, as a semver range. */
  readonly api: string
  /** Other plugins it calls, by id, with the range it accepts. */
  readonly needs: Readonly<Record<string, string>>
  /** Schema of its config. Fields marked `"secret": true` reach it as references. */
  readonly config?: Schema
  /** For plugins of this repository: the top-level key of `gateway.yaml` that is their config. */
  readonly section?: string
}

/** The schema of `package.json`'s `isopod` field. */
export const MANIFEST_SCHEMA = {
  type: 'object',
  required: ['id', 'api'],
  additionalProperties: false,
  properties: {
    id: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,63}$' },
    api: { type: 'string', minLength: 1 },
    needs: { type: 'object', additionalProperties: { type: 'string', minLength: 1 } },
    config: { type: 'object' },
    section: { type: 'string', pattern: '^[a-z]+$' },
  },
} as const
