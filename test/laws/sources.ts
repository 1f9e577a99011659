/** The repository's own sources and what each of them imports, read from the files as they are. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** One import of one file. */
export interface Import {
  /** The importing file, relative to the root, with slashes. */
  readonly file: string
  /** As it is written. */
  readonly specifier: string
  /** The file of ours it leads to, relative to the root; undefined for a package or a built-in. */
  readonly target: string | undefined
  readonly typesOnly: boolean
}

/** Every `.ts` and `.mjs` file below a folder of the root, without tests and what is installed or built. */
export function sourcesIn(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(?:ts|mjs)$/.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((file) => !/(?:^|\/)(?:node_modules|dist|test)\//.test(file))
    .sort()
}

const STATIC = /^(?:import|export)\s(?<types>type\s)?(?:[^'";]*?\sfrom\s)?'(?<specifier>[^']+)'/gm
const DYNAMIC = /\bimport\(\s*'(?<specifier>[^']+)'/g

/** Every import of a file, the dynamic ones included. Comments are not read. */
export function importsOf(file: string): readonly Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '')
  const found: Import[] = []
  for (const pattern of [STATIC, DYNAMIC]) {
    for (const { groups } of text.matchAll(pattern)) {
      const specifier = groups?.['specifier'] ?? ''
      found.push({ file, specifier, target: targetOf(file, specifier), typesOnly: groups?.['types'] !== undefined })
    }
  }
  return found
}

function targetOf(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return relative(ROOT, resolve(ROOT, dirname(file), specifier)).replaceAll('\\', '/')
  const own = /^@isopod\/(?<name>plugin-api|testing|kernel|sandbox|plugin-[a-z-]+)(?<rest>\/.*)?$/.exec(specifier)?.groups
  if (!own) return undefined
  const name = own['name'] ?? ''
  const folder = name === 'testing' ? 'plugin-api/testing' : name.startsWith('plugin-') && name !== 'plugin-api' ? `plugins/${name.slice(7)}` : name
  return `${folder}${own['rest'] ?? '/index.ts'}`
}

/** The package that a specifier leads into. */
export function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

/** A workspace: what it is called, and which packages it brings along where it is installed. */
export interface Workspace {
  readonly name: string
  readonly dependencies: ReadonlySet<string>
}

const WORKSPACES = new Map<string, Workspace>()

/** The workspace a file belongs to: the nearest folder above it with a `package.json`. */
export function workspaceOf(file: string): Workspace {
  let folder = dirname(file)
  while (!existsSync(join(ROOT, folder, 'package.json'))) folder = dirname(folder)
  const known = WORKSPACES.get(folder) ?? readWorkspace(folder)
  WORKSPACES.set(folder, known)
  return known
}

function readWorkspace(folder: string): Workspace {
  // A package.json of this repository, which npm has read before.
  const { name, dependencies = {} } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as { name: string; dependencies?: object }
  return { name, dependencies: new Set(Object.keys(dependencies)) }
}
