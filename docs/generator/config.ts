/** The fields of `gateway.yaml`: what each takes, what it is unless said, and who reads it. */
import type { Generation } from '@isopod/kernel/generation.ts'
import type { Instance } from '@isopod/kernel/instance.ts'
import { CONFIG_NAMES } from '@isopod/kernel/config/load.ts'
import { configSchema } from '@isopod/kernel/config/schema.ts'
import { code, page, table } from './page.ts'
import { fieldsOf } from './schema.ts'

const ABOUT = `The config is the first of these files in the home: ${CONFIG_NAMES.map(code).join(', ')}. \`\${NAME}\` stands for a variable of the
environment, \`\${NAME:-text}\` for one with a default. An unknown key is a warning with the nearest known name; a wrong value keeps the gateway
from starting, and keeps a changed file from coming into force while it runs.`

/** Sections the kernel reads itself. Any other belongs to the plugin that names it in its manifest. */
const KERNELS: readonly string[] = ['$schema', 'gateway', 'plugins', 'log']

export function configPage({ instances }: Generation): string {
  const all = [...instances.values()]
  const owners = new Map(all.flatMap(({ id, manifest: { section } }) => (section === undefined ? [] : [[section, id] as const])))
  const sections = Object.entries(configSchema.properties).filter(([name]) => name !== '$schema')
  const read = sections.filter(([name]) => KERNELS.includes(name) || owners.has(name))
  const unread = sections.filter(([name]) => !KERNELS.includes(name) && !owners.has(name))
  return page(
    'Config',
    ABOUT,
    ...read.map(([name, schema]) => section(name, schema, owners.get(name))),
    ...all.filter(hasOwnConfig).map(pluginConfig),
    `## Accepted and not read yet\n\nThese sections are checked, so that a file which has them is valid; nothing acts on them: ${unread.map(([name]) => code(name)).join(', ')}.`,
  )
}

function section(name: string, schema: { readonly description?: string }, owner: string | undefined): string {
  const whose = owner === undefined ? 'Read by the kernel.' : `Read by the plugin \`${owner}\`.`
  return `## ${name}\n\n${schema.description ?? ''} ${whose}\n\n${fieldTable(schema, name)}`
}

function hasOwnConfig({ manifest: { config, section: top } }: Instance): boolean {
  return config !== undefined && top === undefined
}

function pluginConfig({ id, manifest: { config } }: Instance): string {
  return `## The plugin ${id}\n\n${fieldTable(config, `plugins.${id}.config`)}`
}

function fieldTable(schema: unknown, at: string): string {
  const rows = fieldsOf(schema, at).map(({ path, takes, standard, description }) => [code(path), takes, code(standard), description])
  return table(['field', 'takes', 'unless said', 'what it is'], rows)
}
