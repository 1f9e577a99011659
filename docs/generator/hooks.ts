/** The hooks a plugin may tap: what each is for, who rings it, what a tap is told, and who taps it already. */
import { readFile } from 'node:fs/promises'
import { ASKING_HOOKS, CONTRIBUTING_HOOKS, HEARING_HOOKS } from '@isopod/plugin-api'
import type { Generation } from '@isopod/kernel/generation.ts'
import { TAP_DEADLINE_MAX_MS, TAP_DEADLINE_MS } from '@isopod/kernel/limits.ts'
import { code, page, table } from './page.ts'

const SOURCE = new URL('../../plugin-api/hooks.ts', import.meta.url)

const ABOUT = `A hook's name says what a tap of it can do: add something (a plural noun), object or alter (\`-ing\`), or listen (\`-ed\`). Plugins tap
hooks; the kernel rings them, or a handler of the noun that a hook belongs to. A tap of an \`-ing\` hook has ${TAP_DEADLINE_MS} ms unless it says otherwise, and
${TAP_DEADLINE_MAX_MS} ms at most; silence past that, or a throw, refuses.`

export async function hooksPage(generation: Generation): Promise<string> {
  const source = await readFile(SOURCE, 'utf8')
  const told = descriptionsIn(source)
  const row = (name: string, ringer: string) => [code(name), ringer, told.get(name) ?? '', tappers(generation, name).join(', ')]
  return page(
    'Hooks',
    ABOUT,
    '## Contribute',
    table(['hook', 'rung by', 'what it is for', 'tapped by'], CONTRIBUTING_HOOKS.map((name) => row(name, 'the kernel, at each change'))),
    '## May change or refuse',
    table(['hook', 'rung by', 'what it is for', 'tapped by'], Object.entries(ASKING_HOOKS).map(([name, noun]) => row(name, ringerOf(noun)))),
    '## Only hear',
    table(['hook', 'rung by', 'what it is for', 'tapped by'], Object.entries(HEARING_HOOKS).map(([name, noun]) => row(name, ringerOf(noun)))),
    '## What a tap is told',
    ...[...Object.keys(ASKING_HOOKS), ...Object.keys(HEARING_HOOKS)].map((name) => subjectIn(source, name)),
  )
}

function ringerOf(noun: string): string {
  return noun === 'kernel' ? 'the kernel' : `a handler of \`${noun}.*\``
}

/** The doc comment of each member of `GatewayHooks`. */
function descriptionsIn(source: string): ReadonlyMap<string, string> {
  const body = /export interface GatewayHooks \{\n([\s\S]*?)\n\}/.exec(source)?.[1] ?? ''
  return new Map([...body.matchAll(/\/\*\* (.*?) \*\/\s+readonly (\w+):/g)].map(([, text = '', name = '']) => [name, text]))
}

/** The interface of a hook's subject, as the plugin API declares it. */
function subjectIn(source: string, hook: string): string {
  const type = `${hook.slice(0, 1).toUpperCase()}${hook.slice(1)}`
  const declared = new RegExp(`export interface ${type} \\{[\\s\\S]*?\\n\\}`).exec(source)?.[0]
  if (declared === undefined) throw new Error(`plugin-api/hooks.ts declares no interface ${type} for the hook ${hook}`)
  return `### ${hook}\n\n\`\`\`ts\n${declared.replace('export ', '')}\n\`\`\``
}

function tappers({ instances }: Generation, hook: string): readonly string[] {
  const own = [...instances.values()].filter(({ registration }) => {
    const contributed: unknown = registration[hook as keyof typeof registration]
    return Array.isArray(contributed) ? contributed.length > 0 : registration.taps.some((tap) => tap.hook === hook)
  })
  return own.map(({ id }) => id)
}
