/**
 * A config file as text: parsed, with the place of every key kept so that a mistake can be pointed at. It knows the three
 * notations and nothing of what the file should contain. Messages are our own where the parser's would quote the file: a
 * token that starts with `*` must not end up in a log because YAML took it for an alias.
 */
import { extname } from 'node:path'
import { isAlias, isMap, isPair, isSeq, LineCounter, parseDocument, visit } from 'yaml'
import type { Document, Node, ParsedNode, YAMLError } from 'yaml'
import { JSON_DEPTH } from '../limits.ts'
import { isTree } from './path.ts'
import type { Path, Tree } from './path.ts'
import type { Problem } from './problem.ts'

export type Notation = 'yaml' | 'json' | 'json5'

/** The largest file that is read. A config is a few kilobytes; whoever points at a log by mistake should learn it at once. */
export const MAX_FILE_BYTES = 1024 * 1024

/** A YAML file may repeat a part by alias this often. Beyond it is a bomb: nine lines that unfold into gigabytes. */
const MAX_ALIASES = 100

/** Counted from 1, as editors do. */
export interface Place {
  readonly line: number
  readonly column: number
}

const TOO_DEEP = 'The file is nested too deeply'

/** What a file says, and where. `value` is absent where it could not be read, and `problems` says why. */
export interface Parsed {
  readonly value?: Tree
  readonly problems: readonly Problem[]
  /** The line and column of a field, or of its closest surroundings that stand in the file. */
  readonly locate: (path: Path) => Place | undefined
}

export function notationOf(file: string): Notation {
  const extension = extname(file).toLowerCase()
  return extension === '.json' ? 'json' : extension === '.json5' ? 'json5' : 'yaml'
}

/** Parses a file's text. Never rejects: whatever is wrong comes back as problems. */
export async function parseText(text: string, notation: Notation): Promise<Parsed> {
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) return unreadable('The file is larger than 1 MiB, which no config is')
  if (notation === 'json5') return parseJson5(text)
  return notation === 'json' ? parseJson(text) : parseYaml(text)
}

/** The YAML document behind a text, for those who edit it and keep its comments. Throws nothing; see its `errors`. */
export function yamlDocument(text: string, lineCounter?: LineCounter): Document.Parsed {
  return parseDocument(text, {
    version: '1.2',
    prettyErrors: false, // they quote the file
    logLevel: 'error', // a warning would be written to stderr past the log
    uniqueKeys: true,
    ...(lineCounter ? { lineCounter } : {}),
  })
}

function parseYaml(text: string): Parsed {
  const lines = new LineCounter()
  try {
    const document = yamlDocument(text, lines)
    if (document.errors.length > 0) return broken(document.errors, lines)
    // Before anything else: what is nested in a key is written out as text once for each level, so a short file takes minutes.
    if (isNestedBeyond(document.contents, JSON_DEPTH)) return unreadable(TOO_DEEP)
    const aliases = lostAliases(document, lines)
    if (aliases.length > 0) return { problems: aliases, locate: () => undefined }
    return read(document, document.toJS({ maxAliasCount: MAX_ALIASES }), lines)
  } catch (error) {
    return unreadable(toJsMessage(error))
  }
}

function read(document: Document.Parsed, value: unknown, lines: LineCounter): Parsed {
  const locate = (path: Path) => placeOf(document, path, lines)
  const problems = document.warnings.map((warning) => problemOf(warning, lines, 'warning'))
  if (value === null || value === undefined) return { value: {}, problems, locate }
  if (!isTree(value)) return unreadable('The file must hold sections such as "gateway:", not a list or a single value')
  if (isDeeperThan(value, JSON_DEPTH)) return unreadable(TOO_DEEP)
  return { value, problems, locate }
}

function parseJson(text: string): Parsed {
  try {
    JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    const at = /position (\d+)/.exec(String(error))?.[1]
    return unreadable('This is not valid JSON: a comma, quote or bracket is missing or too many', linePlace(text, Number(at ?? text.length)))
  }
  return parseYaml(text) // JSON is YAML 1.2, and that parser remembers places and sees a key written twice
}

async function parseJson5(text: string): Promise<Parsed> {
  const { default: json5 } = await import('json5')
  try {
    const value: unknown = json5.parse(text)
    if (!isTree(value)) return unreadable('The file must hold sections such as { gateway: {} }, not a list or a single value')
    if (isDeeperThan(value, JSON_DEPTH)) return unreadable(TOO_DEEP)
    return { value, problems: [], locate: () => undefined }
  } catch (error) {
    const { lineNumber, columnNumber } = error as { lineNumber?: number; columnNumber?: number } // json5's own SyntaxError
    const place = lineNumber !== undefined && columnNumber !== undefined ? { line: lineNumber, column: columnNumber } : {}
    return unreadable('This is not valid JSON5: a comma, quote or bracket is missing or too many', place)
  }
}

/** The same of what the text says, keys included, which may be of any kind in YAML. Follows no alias. */
function isNestedBeyond(node: unknown, depth: number): boolean {
  if (isPair(node)) return isNestedBeyond(node.key, depth) || isNestedBeyond(node.value, depth)
  if (!isMap(node) && !isSeq(node)) return false
  return depth === 0 || node.items.some((item) => isNestedBeyond(item, depth - 1))
}

/** Also true of an anchor that contains itself. */
function isDeeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return depth === 0 || Object.values(value).some((child) => isDeeperThan(child, depth - 1))
}

function unreadable(message: string, place: Partial<Place> = {}): Parsed {
  return { problems: [{ severity: 'error', path: '', message, ...place }], locate: () => undefined }
}

function broken(errors: readonly YAMLError[], lines: LineCounter): Parsed {
  return { problems: errors.map((error) => problemOf(error, lines, 'error')), locate: () => undefined }
}

function problemOf(error: YAMLError, lines: LineCounter, severity: Problem['severity']): Problem {
  const { line, col } = lines.linePos(error.pos[0])
  return { severity, path: '', message: sentenceOf(error), line, column: col }
}

const SENTENCES: { readonly [code: string]: string } = {
  BAD_DIRECTIVE: 'A line that starts with % needs quotes: without them YAML takes it for a directive',
  BAD_SCALAR_START: 'A text that starts with @ or ` needs quotes in YAML',
  DUPLICATE_KEY: 'The same key stands twice in one section. Remove one of the two',
  MULTIPLE_DOCS: 'The file holds several YAML documents (a line of ---). A config is one',
  TAB_AS_INDENT: 'This line is indented with a tab. YAML takes only spaces',
  TAG_RESOLVE_FAILED: 'A text that starts with ! needs quotes: without them YAML takes it for a tag, and this one is unknown',
  UNEXPECTED_TOKEN: 'This is not valid YAML: something stands here that cannot. Check the quotes, brackets and colons on this line',
}

/** Told here and not by the parser's own error, which names no place and quotes what may be a token. */
function lostAliases(document: Document.Parsed, lines: LineCounter): Problem[] {
  const problems: Problem[] = []
  const message = 'A text that starts with * needs quotes: without them YAML takes it for the name of an anchor, and there is none'
  visit(document, {
    Alias(_key, alias) {
      if (alias.resolve(document)) return
      const { line, col } = lines.linePos(startOf(alias) ?? 0)
      problems.push({ severity: 'error', path: '', message, line, column: col })
    },
  })
  return problems
}

function sentenceOf(error: YAMLError): string {
  // The parser recurses, and tells of the end of its stack as of any other mistake in the file.
  if (error.message.includes('call stack')) return TOO_DEEP
  return SENTENCES[error.code] ?? `This is not valid YAML: ${error.message}`
}

function toJsMessage(error: unknown): string {
  const text = String(error)
  if (text.includes('alias count')) return 'The file repeats parts by alias so often that it would not fit into memory'
  if (error instanceof RangeError) return TOO_DEEP
  return 'The file cannot be read as YAML: it refers to itself'
}

/** The key's own place, since that is what an owner looks for; in a list, the entry's. */
function placeOf(document: Document.Parsed, path: Path, lines: LineCounter): Place | undefined {
  let node: unknown = document.contents
  let offset: number | undefined
  for (const key of path) {
    if (isAlias(node)) node = node.resolve(document)
    const found = step(node, key)
    if (!found) break
    offset = found.offset ?? offset
    node = found.node
  }
  if (offset === undefined) return undefined
  const { line, col } = lines.linePos(offset)
  return { line, column: col }
}

function step(node: unknown, key: string | number): { offset: number | undefined; node: unknown } | undefined {
  if (isSeq(node)) {
    const item = node.items[Number(key)]
    return item === undefined ? undefined : { offset: startOf(item), node: item }
  }
  if (!isMap(node)) return undefined
  const pair = node.items.find((item) => isPair(item) && String(item.key) === String(key))
  return pair ? { offset: startOf(pair.key), node: pair.value } : undefined
}

function startOf(node: unknown): number | undefined {
  return (node as Node | ParsedNode | null)?.range?.[0] // keys and entries of a parsed document are nodes
}

function linePlace(text: string, position: number): Place {
  const before = text.slice(0, position).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}
