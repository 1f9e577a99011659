/**
 * From a file to a config: find it, read it, parse it, put the environment in, check it. Every problem of every step that
 * could be taken comes back at once, with its place. Nothing is thrown for what an owner wrote; the caller decides what an
 * unusable file means. It does not know whether a gateway is running.
 */
import { createHash } from 'node:crypto'
import { access, open } from 'node:fs/promises'
import { join } from 'node:path'
import { checkConfig } from './check.ts'
import type { Finding } from './check.ts'
import { MAX_FILE_BYTES, notationOf, parseText } from './document.ts'
import type { Parsed } from './document.ts'
import { hasReference, resolveEnv } from './env.ts'
import type { Env } from './env.ts'
import { applyOverrides } from './override.ts'
import type { Override } from './override.ts'
import { childSchema, isTree, showPath, valueAt } from './path.ts'
import type { Schema, Tree } from './path.ts'
import { hasErrors } from './problem.ts'
import type { Problem } from './problem.ts'
import { configSchema } from './schema.ts'
import type { Config } from './schema.ts'

/** Where a config is looked for in the home, in this order. The first that is there is the config. */
export const CONFIG_NAMES = ['gateway.yaml', 'gateway.yml', 'config.yml', 'gateway.json', 'gateway.json5'] as const

/** The revision of a config without a file. */
export const NO_FILE = 'none'

export interface LoadOptions {
  readonly home: string
  /** A file named by the owner (`--config`). Where it is not there, that is an error. */
  readonly file?: string | undefined
  readonly env: Env
  readonly overrides: readonly Override[]
}

/** What was found. */
export interface Loaded {
  /** Frozen. Absent where there is an error among the problems. */
  readonly config?: Config
  readonly problems: readonly Problem[]
  /** The file that was read, or that there would be. */
  readonly file: string
  readonly exists: boolean
  /** Whether there is nothing but white space in it. */
  readonly empty: boolean
  /** Changes with the file's content and with nothing else. */
  readonly revision: string
  /** What the file says, references unresolved. Empty where it could not be parsed. */
  readonly written: Tree
}

/** The file's text. `text` is absent where there is no file, or where it could not be read, and `problem` says why. */
export interface FileText {
  readonly file: string
  readonly text?: string
  readonly problem?: Problem
}

export async function loadConfig(options: LoadOptions): Promise<Loaded> {
  return settle(await readConfigFile(options.home, options.file), options)
}

/** The config that a text makes, wherever the text comes from. */
export async function settle({ file, text, problem }: FileText, options: Layers): Promise<Loaded> {
  const base = { file, exists: text !== undefined, empty: text?.trim() === '', revision: text === undefined ? NO_FILE : revisionOf(text) }
  if (problem) return { ...base, exists: true, problems: [problem], written: {} }
  const parsed: Parsed = text === undefined ? { value: {}, problems: [], locate: () => undefined } : await parseText(text, notationOf(file))
  const named = parsed.problems.map((found) => ({ ...found, file }))
  if (!parsed.value) return { ...base, problems: named, written: {} }
  const written = dropEmpty(parsed.value, configSchema)
  const { config, problems } = assemble(written, { file, locate: parsed.locate }, options)
  const all = { ...base, problems: [...named, ...problems].sort(byPlace), written }
  return config ? { ...all, config: deepFreeze(config) } : all
}

type Layers = Pick<LoadOptions, 'env' | 'overrides'>

/** The file, the environment in it, the overrides above it, the defaults below. */
function assemble(written: Tree, where: Where, { env, overrides }: Layers): { config?: Config; problems: Problem[] } {
  const resolved = resolveEnv(written, env, configSchema)
  const overridden = overrides.map(({ path }) => showPath(path))
  const unresolved = resolved.problems.filter(({ path }) => !overridden.includes(path))
  const tree = applyOverrides(resolved.value, overrides, configSchema)
  const { config, findings } = checkConfig(tree, (at) => !isReference(valueAt(written, at)))
  const further = findings.filter(({ path }) => !unresolved.some((other) => other.path === path))
  const problems = [...unresolved, ...further].map((finding) => placed(finding, where, overrides))
  return config && !hasErrors(problems) ? { config, problems } : { problems }
}

/** Top to bottom, as an owner will go through them; first what is not about a line. */
function byPlace(one: Problem, other: Problem): number {
  return (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0)
}

interface Where {
  readonly file: string
  readonly locate: Parsed['locate']
}

/** With its place in the file, or with the name of the variable or option that it came from. */
function placed({ at, ...problem }: Finding, { file, locate }: Where, overrides: readonly Override[]): Problem {
  const override = overrides.find(({ path }) => showPath(path) === problem.path)
  if (override) return { ...problem, message: `${override.from}: ${problem.message}` }
  return { ...problem, file, ...locate(at) }
}

function isReference(value: unknown): boolean {
  return typeof value === 'string' && hasReference(value)
}

/** Finds and reads the config file. Never rejects. */
export async function readConfigFile(home: string, named?: string): Promise<FileText> {
  const file = named ?? (await firstOf(home)) ?? join(home, CONFIG_NAMES[0])
  try {
    return { file, text: await readText(file) }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable' // fs errors carry one; a decoding error does not matter here
    if (code === 'ENOENT' && named === undefined) return { file }
    return { file, problem: { severity: 'error', path: '', file, message: whyUnreadable(code) } }
  }
}

async function firstOf(home: string): Promise<string | undefined> {
  for (const name of CONFIG_NAMES) {
    const file = join(home, name)
    if (await access(file).then(() => true, () => false)) return file
  }
  return undefined
}

/** Reads no further than what a config may be long: the name may lead to a device or a log. */
async function readText(file: string): Promise<string> {
  const handle = await open(file)
  try {
    const buffer = Buffer.alloc(MAX_FILE_BYTES + 1)
    let length = 0
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = (await handle.read(buffer, length, buffer.length - length)).bytesRead
    }
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(buffer.subarray(0, length))
  } finally {
    await handle.close()
  }
}

function whyUnreadable(code: string): string {
  if (code === 'ENOENT') return 'This file does not exist'
  if (code === 'EACCES' || code === 'EPERM') return 'This file may not be read by the user the gateway runs as'
  if (code === 'EISDIR') return 'This is a directory, not a file'
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'This file is not UTF-8 text'
  return `This file cannot be read (${code})`
}

export function revisionOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/** `token:` with nothing behind it is how YAML writes a field that was not filled in: it counts as absent. */
function dropEmpty(tree: Tree, schema: Schema): Tree {
  const entries = Object.entries(tree).flatMap(([key, value]): [string, unknown][] => {
    const part = childSchema(schema, key)
    if (!part) return [[key, value]]
    if (value === null) return []
    return [[key, isTree(value) ? dropEmpty(value, part) : value]]
  })
  return Object.fromEntries(entries)
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const child of Object.values(value)) deepFreeze(child)
  return Object.freeze(value)
}
