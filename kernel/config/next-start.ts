/** What of a config only takes effect at the next start: the port is open already, and stays so. */
import { isDeepStrictEqual } from 'node:util'
import type { Config } from './schema.ts'

const FIELDS = ['port', 'bind', 'transport', 'tls'] as const

/** The fields of that kind in which two configs differ, as `gateway.port`. */
export function changedForNextStart(now: Config, before: Config): string[] {
  return FIELDS.filter((field) => !isDeepStrictEqual(now.gateway[field], before.gateway[field])).map((field) => `gateway.${field}`)
}
