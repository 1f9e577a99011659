/**
 * Which plugins there are, read from their manifests without running any of their code. The plugins of this repository are
 * the folders beside each other in one place; the config may name others.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MANIFEST_SCHEMA, type Manifest, type Plugin } from '@isopod/plugin-api'
import { complaints } from '../validators.ts'

/** Where a plugin comes from. */
export interface Source {
  readonly manifest: Manifest
  /** URL of the entry module; absent for a plugin that was handed over as an object. */
  readonly entry?: string
  /** The plugin itself, where it was handed over (by the testing gateway, and for the kernel's own methods). */
  readonly plugin?: Plugin
  /** Part of this repository: trusted, and on unless switched off. */
  readonly builtIn: boolean
}

/** A plugin that could not be read, and why. */
export interface Unreadable {
  readonly id: string
  readonly reason: string
}

/** The plugins in the folders below `directory`. A folder without a manifest of ours is passed over. */
export async function readCatalog(directory: string): Promise<readonly Source[]> {
  const folders = await readdir(directory, { withFileTypes: true })
  const sources = await Promise.all(folders.filter((folder) => folder.isDirectory()).map((folder) => readSource(join(directory, folder.name), true)))
  return sources.filter((source) => source !== undefined)
}

/**
 * The plugin in one folder; undefined where its `package.json` has no `isopod` field.
 * @throws Error a sentence naming the folder and everything that is wrong with its manifest.
 */
export async function readSource(folder: string, builtIn: boolean): Promise<Source | undefined> {
  let text: string
  try {
    text = await readFile(join(folder, 'package.json'), 'utf8')
  } catch (cause) {
    if (builtIn) return undefined
    throw new Error(`${folder} has no package.json that can be read`, { cause })
  }
  const parsed = packageIn(text, folder)
  const isopod = parsed['isopod'] as Record<string, unknown> | undefined // what it holds is checked below
  if (isopod === undefined) {
    if (builtIn) return undefined
    throw new Error(`${folder}/package.json has no \`isopod\` field: it is no plugin`)
  }
  const wrong = complaints(MANIFEST_SCHEMA, isopod)
  if (wrong.length > 0) throw new Error(`the manifest in ${folder}/package.json: ${wrong.join('; ')}`)
  const [name, version, description, main] = ['name', 'version', 'description', 'main'].map((field) => textOf(parsed[field]))
  const entry = entryOf(parsed['exports']) ?? main ?? './index.js'
  const manifest: Manifest = {
    // The schema above has checked exactly these fields.
    ...(isopod as unknown as Pick<Manifest, 'id' | 'api'>),
    name: name ?? (isopod['id'] as string),
    version: version ?? '0.0.0',
    ...(description !== undefined && { description }),
    entry,
    needs: (isopod['needs'] as Record<string, string> | undefined) ?? {},
  }
  return { manifest: Object.freeze(manifest), entry: pathToFileURL(join(folder, entry)).href, builtIn }
}

/** What a `package.json` holds. @throws Error a sentence naming the folder, where it is no JSON object. */
function packageIn(text: string, folder: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Record<string, unknown>
  } catch (cause) {
    throw new Error(`${folder}/package.json is not valid JSON`, { cause })
  }
  throw new Error(`${folder}/package.json holds no JSON object`)
}

/** A field that is not what npm says it is counts as absent. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The main entry of a package's `exports`, in the forms npm knows. */
function entryOf(exports: unknown): string | undefined {
  if (typeof exports === 'string') return exports
  if (typeof exports !== 'object' || exports === null) return undefined
  const table = exports as Record<string, unknown>
  const root = table['.'] ?? table['import'] ?? table['default']
  return root === exports ? undefined : entryOf(root)
}
