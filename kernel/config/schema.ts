/**
 * The whole config file as one JSON Schema: it checks the file, fills in what is absent, types what the kernel reads, says
 * which fields are secret, and prints the docs. A field that has a default is `required` here because the defaults are
 * filled in before the check: an owner may leave out everything. Two words are ours: `secret` marks what is never shown,
 * `accepts` says in words what a pattern says in signs.
 */
import type { Static } from '@isopod/plugin-api'
import { agents } from './schema/agents.ts'
import { budgets } from './schema/budgets.ts'
import { gateway } from './schema/gateway.ts'
import { hooks } from './schema/hooks.ts'
import { log } from './schema/log.ts'
import { models } from './schema/models.ts'
import { plugins } from './schema/plugins.ts'

export const configSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Isopod gateway.yaml',
  type: 'object',
  additionalProperties: false,
  required: ['gateway', 'models', 'agents', 'budgets', 'plugins', 'hooks', 'log'],
  properties: {
    $schema: { type: 'string', description: 'For editors.' },
    gateway,
    models,
    agents,
    budgets,
    plugins,
    hooks,
    log,
  },
} as const

type Frozen<Value> = Value extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: Frozen<Value[Key]> }
    : Value

/** The config as the kernel reads it: checked, resolved, defaults filled in, frozen. */
export type Config = Frozen<Static<typeof configSchema>>
export type PluginConfig = Config['plugins'][string]
