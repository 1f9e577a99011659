/**
 * The smallest edit of a YAML text: single values replaced where they stand, every other byte untouched. It only knows
 * how to put one value in the place of another; whatever else a patch asks for is left to `merge.ts`, which lays the
 * document out anew and keeps its comments but not every blank.
 */
import { isMap, isScalar } from 'yaml'
import type { Document } from 'yaml'
import { isTree } from './path.ts'
import type { Tree } from './path.ts'

interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** The edited text, or undefined where the patch does more than replace values. Whether it means the same is for the caller to check. */
export function spliceValues(text: string, document: Document.Parsed, patch: Tree): string | undefined {
  const edits = editsFor(document.contents, patch)
  if (!edits) return undefined
  const lastFirst = edits.sort((a, b) => b.start - a.start)
  return lastFirst.reduce((result, { start, end, text: value }) => result.slice(0, start) + value + result.slice(end), text)
}

function editsFor(node: unknown, patch: Tree): Edit[] | undefined {
  if (!isMap(node)) return undefined
  const edits: Edit[] = []
  for (const [key, change] of Object.entries(patch)) {
    const value = node.items.find((item) => String(item.key) === key)?.value
    const found = isTree(change) ? editsFor(value, change) : editOf(value, change)
    if (!found) return undefined
    edits.push(...found)
  }
  return edits
}

function editOf(node: unknown, value: unknown): Edit[] | undefined {
  if (!isScalar(node) || !node.range || node.anchor !== undefined || String(node.type).startsWith('BLOCK')) return undefined
  const text = spelled(value, node.type === 'QUOTE_SINGLE')
  const [start, end] = node.range
  return text === undefined || start === end ? undefined : [{ start, end, text }]
}

function spelled(value: unknown, singleQuotes: boolean): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value !== 'string') return undefined
  if (singleQuotes && /^[^'\p{Cc}]*$/u.test(value)) return `'${value}'`
  return /^[A-Za-z][\w./-]*$/.test(value) && !/^(?:true|false|null)$/i.test(value) ? value : JSON.stringify(value)
}
