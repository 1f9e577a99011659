/**
 * A mapping: which path leads to which action, with templates in place of fixed words. The config may spell one in two ways
 * (seed 004's `path` and `action`, and the native `match` with its templates beside it); both are read into the same shape.
 */
import type { Context } from '@isopod/plugin-api'
import type { WakeMode } from './contract.ts'
import { settingsOf } from './settings.ts'
import type { Signature } from './signature.ts'

interface ActionConfig {
  readonly kind?: 'agent' | 'wake'
  readonly message?: string
  readonly text?: string
  readonly mode?: WakeMode
  readonly name?: string
  readonly agentId?: string
  readonly sessionKey?: string
  readonly deliver?: boolean
  readonly channel?: string
  readonly to?: string
  readonly model?: string
  readonly thinking?: 'low' | 'medium' | 'high'
  readonly timeoutSeconds?: number
}

/** As the config has it. */
export interface MappingConfig extends Omit<ActionConfig, 'kind' | 'message' | 'text' | 'mode'> {
  readonly id?: string
  readonly path?: string
  readonly match?: { readonly path?: string; readonly source?: string }
  readonly action?: 'agent' | 'wake' | ActionConfig
  readonly wakeMode?: WakeMode
  readonly messageTemplate?: string
  readonly textTemplate?: string
  readonly signature?: Signature
}

/** As everybody else reads it. Texts are templates. */
export interface Mapping extends Omit<ActionConfig, 'kind' | 'message' | 'text' | 'mode'> {
  readonly label: string
  readonly kind: 'agent' | 'wake'
  /** Undefined where the config forgot to give it one, which is told to whoever may know of the mapping. */
  readonly text: string | undefined
  readonly mode: WakeMode
  readonly signature?: Signature
}

/** The first mapping of a path, and of the payload's `source` where it asks for one. */
export function mappingFor(name: string, source: unknown, ctx: Pick<Context, 'config'>): Mapping | undefined {
  const { mappings } = settingsOf(ctx)
  const isMeant = ({ path, match }: MappingConfig) => fits(path ?? match?.path, name) && (match?.source === undefined || match.source === source)
  const found = mappings.find(isMeant)
  return found && read(found, name)
}

/** Every path that a mapping waits at, with what it does. */
export function mappedPaths(ctx: Pick<Context, 'config'>): readonly { readonly path: string; readonly mapping: Mapping }[] {
  return settingsOf(ctx).mappings.map((config) => {
    const path = trimmed(config.path ?? config.match?.path ?? '')
    return { path, mapping: read(config, path) }
  })
}

function fits(path: string | undefined, name: string): boolean {
  return path !== undefined && trimmed(path) === trimmed(name)
}

function trimmed(path: string): string {
  return path.replaceAll(/^\/+|\/+$/g, '')
}

function read(config: MappingConfig, name: string): Mapping {
  const { id, path: _path, match: _match, action, wakeMode, messageTemplate, textTemplate, signature, ...beside } = config
  const { kind, message, text, mode, ...inside } = typeof action === 'object' ? action : { kind: action }
  return {
    label: id ?? trimmed(name),
    kind: kind ?? 'agent',
    text: message ?? text ?? messageTemplate ?? textTemplate,
    mode: mode ?? wakeMode ?? 'now',
    ...beside,
    ...inside,
    ...(signature && { signature }),
  }
}
