/**
 * The one place where the program writes the owner's config file, and only when asked to. What would come out is checked
 * as if it had just been loaded before a byte is written; the write replaces the file in one step and keeps the last five;
 * and who has not seen the newest revision is refused, so that two people at two screens do not undo each other.
 */
import { isDeepStrictEqual } from 'node:util'
import { RpcError } from '@isopod/plugin-api'
import { keepBackup, replaceFile } from './atomic.ts'
import { notationOf, parseText } from './document.ts'
import { readConfigFile, revisionOf, settle, NO_FILE } from './load.ts'
import type { FileText, Loaded, LoadOptions } from './load.ts'
import { mergePatch, mergeText } from './merge.ts'
import { isTree, showPath, valueAt } from './path.ts'
import type { Path, Tree } from './path.ts'
import { describeProblem } from './problem.ts'
import type { Problem } from './problem.ts'
import { REDACTED } from './redact.ts'
import type { Config } from './schema.ts'

/** How many earlier files are kept, as `gateway.yaml.bak.1` (the newest) to `.5`. */
export const BACKUPS = 5

/** A change that could be used. `before` and `after` are what the file says and would say, references unresolved. */
export interface ProposedChange {
  readonly before: Tree
  readonly after: Tree
  readonly config: Config
}

export interface ChangeTerms {
  /** The revision the change was made from: `NO_FILE` where there was no file. */
  readonly revision: string
  /** Rejects where the change must not be made, for reasons that the schema does not know. Nothing has been written yet. */
  readonly accept?: (change: ProposedChange) => Promise<void>
}

export type UpdateOptions = LoadOptions & ChangeTerms

/**
 * Lays a JSON merge patch over the config file and answers what is now in force. Rejects with an `RpcError`: `conflict`
 * where the file is at another revision, `invalid_request` where the result would be no usable config (with the problems
 * in `details`) or the file cannot be edited, `unavailable` where the disk would not take it; or with what `accept` does. In each case the file is as it was.
 */
export async function updateConfig(patch: unknown, options: UpdateOptions): Promise<Loaded> {
  const source = await readConfigFile(options.home, options.file)
  expectRevision(source, options.revision)
  const value = await editable(source)
  const change = checkedPatch(patch, value)
  const text = mergedText(source, value, change)
  const after = await settle({ file: source.file, text }, options)
  const covered = await coveredMistakes({ file: source.file, text }, value, options)
  if (!after.config || covered.length > 0) throw unusable([...after.problems, ...covered], 'With this change the config could not be used')
  // A merge patch laid over an object is an object.
  await options.accept?.({ before: value, after: mergePatch(value, change) as Tree, config: after.config })
  if (text !== source.text) await replace(source, text, options)
  return after
}

function expectRevision({ text }: FileText, revision: string): void {
  const current = text === undefined ? NO_FILE : revisionOf(text)
  if (current === revision) return
  const message = 'The config has changed since you read it. Read it again and repeat the change'
  throw new RpcError('conflict', message, { details: { revision: current } })
}

async function editable({ file, text, problem }: FileText): Promise<Tree> {
  if (problem) throw unusable([problem], 'The config file cannot be read')
  const { value, problems } = await parseText(text ?? '{}', notationOf(file))
  if (!value) throw unusable(problems.map((found) => ({ ...found, file })), 'The config file has mistakes that must be mended by hand first')
  return value
}

/** What a redacted copy shows in place of a secret must never be written over the secret: there it means "as it is". */
function checkedPatch(patch: unknown, value: Tree): Tree {
  if (!isTree(patch)) throw new RpcError('invalid_request', 'The change must be a JSON merge patch: an object', { param: 'patch' })
  const clean = (part: unknown, at: Path): unknown => {
    if (Array.isArray(part)) return part.map((item, index) => clean(item, [...at, index]) ?? refuse([...at, index]))
    if (isTree(part)) return Object.fromEntries(Object.entries(part).flatMap(([key, item]) => kept(key, clean(item, [...at, key]))))
    if (typeof part !== 'string' || !part.includes(REDACTED)) return part
    return typeof valueAt(value, at) === 'string' ? undefined : refuse(at)
  }
  return clean(patch, []) as Tree // an object goes in, so an object comes out
}

function kept(key: string, item: unknown): [string, unknown][] {
  if (key === '__proto__') {
    throw new RpcError('invalid_request', 'A key of the config cannot be called __proto__', { param: 'patch' })
  }
  return item === undefined ? [] : [[key, item]]
}

function refuse(at: Path): never {
  const param = showPath(at)
  const message = `${param} is given as ${REDACTED}, which stands for a secret that is not shown. Leave it out, or write the secret`
  throw new RpcError('invalid_request', message, { param })
}

function mergedText({ file, text }: FileText, value: Tree, patch: Tree): string {
  if (Object.keys(patch).length === 0) return text ?? ''
  const merged = mergeText(text ?? '', value, patch, notationOf(file))
  if ('refused' in merged) throw new RpcError('invalid_request', merged.refused)
  return merged.text
}

/**
 * What stands above the file covers what the file says, and the next start may
 * come without it: a change there is checked as well.
 */
async function coveredMistakes(proposed: FileText, before: Tree, options: UpdateOptions): Promise<readonly Problem[]> {
  if (options.overrides.length === 0) return []
  const bare = await settle(proposed, { ...options, overrides: [] })
  const changed = options.overrides.map(({ path }) => path).filter((path) => !isDeepStrictEqual(valueAt(before, path), valueAt(bare.written, path)))
  return bare.problems.filter(({ severity, path }) => severity === 'error' && changed.some((at) => showPath(at) === path))
}

/** An editor may have saved while the change was being checked, so the revision is looked at once more. */
async function replace(source: FileText, text: string, { home, file, revision }: UpdateOptions): Promise<void> {
  expectRevision(await readConfigFile(home, file), revision)
  try {
    if (source.text !== undefined) await keepBackup(source.file, BACKUPS)
    await replaceFile(source.file, text)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException // both only call the file system
    const message = code === 'ENOSPC' || code === 'EDQUOT' ? 'the disk is full' : `the file system answered ${code ?? 'an error'}`
    throw new RpcError('unavailable', `The config could not be written: ${message}. Nothing was changed`, { cause: error, retryable: true })
  }
}

function unusable(problems: readonly Problem[], message: string): RpcError {
  // A caller does not learn where the home is.
  const errors = problems.filter(({ severity }) => severity === 'error').map(({ file: _path, ...problem }) => problem)
  return new RpcError('invalid_request', `${message}: ${errors.map(describeProblem).join('; ')}`, { details: { problems: errors } })
}

