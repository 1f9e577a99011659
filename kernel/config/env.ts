/**
 * `${NAME}` and `${NAME:-default}` in the texts of a config that has been parsed: what a variable holds can therefore
 * never become a key, a comment or a second setting. A variable that is empty counts as unset. `$${NAME}` stands for the
 * text `${NAME}` itself. What the gateway's own safety hangs on is never guessed: there an unset variable is an error;
 * a provider's key or a plugin's setting is left out with a warning, so that one file can name every provider.
 */
import { childSchema, isTree, showPath } from './path.ts'
import type { Path, Schema, Tree } from './path.ts'
import type { Problem } from './problem.ts'

export type Env = { readonly [name: string]: string | undefined }

const REFERENCE = /\$\$\{([^}]*)\}|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g

/** Sections in which an unset variable leaves its value out. Anywhere else (who may come in, what may be spent) it is an error. */
const LENIENT = ['models', 'plugins', 'hooks']

export interface Resolved {
  readonly value: Tree
  /** Without `file`, `line` and `column`: the places are the document's to know. */
  readonly problems: readonly (Problem & { readonly at: Path })[]
}

/** Puts the variables' values in. `schema` says where a number or a boolean is wanted, which a variable can only spell. */
export function resolveEnv(tree: Tree, env: Env, schema: Schema): Resolved {
  const problems: (Problem & { at: Path })[] = []
  const walk = (value: unknown, at: Path, part: Schema | undefined): unknown => {
    if (typeof value === 'string') return resolveText(value, at, part)
    if (Array.isArray(value)) {
      return value.map((item, index) => walk(item, [...at, index], childSchema(part, index))).filter((item) => item !== undefined)
    }
    if (!isTree(value)) return value
    const entries = Object.entries(value).map(([key, item]) => [key, walk(item, [...at, key], childSchema(part, key))] as const)
    return Object.fromEntries(entries.filter(([, item]) => item !== undefined))
  }
  const resolveText = (text: string, at: Path, part: Schema | undefined): unknown => {
    if (!text.includes('${')) return text
    const { result, missing, malformed } = substitute(text, env)
    if (malformed && (at[0] === 'gateway' || part?.['secret'] === true)) problems.push(malformedProblem(at))
    for (const name of missing) problems.push(missingProblem(name, at))
    return missing.length > 0 ? undefined : coerce(result, part)
  }
  const value = walk(tree, [], schema)
  return { value: isTree(value) ? value : {}, problems }
}

/** Whether a text holds a reference to a variable. */
export function hasReference(text: string): boolean {
  return referencesIn(text).length > 0
}

/** The names of the variables a text refers to. */
export function referencesIn(text: string): string[] {
  return [...text.matchAll(REFERENCE)].flatMap(([, , name]) => (name === undefined ? [] : [name]))
}

/** Rewrites a text piece by piece: what is a reference, and what stands literally between. */
export function mapPieces(
  text: string,
  onReference: (name: string, fallback: string | undefined) => string,
  onText: (text: string) => string,
): string {
  let result = ''
  let end = 0
  for (const match of text.matchAll(REFERENCE)) {
    const [whole, escaped, name, fallback] = match
    if (name === undefined || escaped !== undefined) continue
    if (match.index > end) result += onText(text.slice(end, match.index))
    result += onReference(name, fallback)
    end = match.index + whole.length
  }
  return end < text.length ? result + onText(text.slice(end)) : result
}

function substitute(text: string, env: Env): { result: string; missing: string[]; malformed: boolean } {
  const missing: string[] = []
  const result = text.replace(REFERENCE, (_whole, escaped: string | undefined, name: string | undefined, fallback: string | undefined) => {
    if (name === undefined) return `\${${escaped ?? ''}}`
    const value = Object.hasOwn(env, name) ? env[name] : undefined
    if (value !== undefined && value !== '') return value
    if (fallback === undefined) missing.push(name)
    return fallback ?? ''
  })
  return { result, missing, malformed: text.replace(REFERENCE, '').includes('${') }
}

/** A variable can only hold text. Where the schema wants a number or a boolean and the text spells one, it becomes one. */
export function coerce(text: string, schema: Schema | undefined): unknown {
  const type = schema?.['type']
  if ((type === 'integer' || type === 'number') && /^-?\d+(\.\d+)?$/.test(text.trim())) return Number(text)
  if (type === 'boolean' && /^(true|false)$/i.test(text.trim())) return text.trim().toLowerCase() === 'true'
  return text
}

function missingProblem(name: string, at: Path): Problem & { at: Path } {
  const path = showPath(at)
  if (LENIENT.includes(String(at[0]))) {
    return { severity: 'warning', path, at, message: `${path} is left out: the environment variable ${name} is not set` }
  }
  const message = `${path} needs the environment variable ${name}, which is not set. Set it, or write the value here`
  return { severity: 'error', path, at, message }
}

function malformedProblem(at: Path): Problem & { at: Path } {
  const path = showPath(at)
  const message = `${path} holds a \${...} that names no variable: a name is letters, digits and underscores. `
    + 'Write $${...} to mean the text itself'
  return { severity: 'error', path, at, message }
}
