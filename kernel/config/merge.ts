/**
 * A JSON merge patch (RFC 7396) laid over a config file's text, so that everything the patch does not name stays as the
 * owner wrote it: comments, order, quotes, references to variables. Whatever comes out is read again and compared with
 * what the patch means; a file too clever for this (an anchor shared by two sections) is refused, never bent.
 */
import { isDeepStrictEqual } from 'node:util'
import { isAlias, isMap, isNode, isScalar } from 'yaml'
import type { Document, YAMLMap } from 'yaml'
import { yamlDocument } from './document.ts'
import type { Notation } from './document.ts'
import { isTree } from './path.ts'
import type { Tree } from './path.ts'
import { spliceValues } from './splice.ts'

/** The patched text, or why it could not be made, in a sentence. */
export type Merged = { readonly text: string } | { readonly refused: string }

/** What `patch` makes of `value`: null removes, sections merge, everything else replaces. */
export function mergePatch(value: unknown, patch: unknown): unknown {
  if (!isTree(patch)) return patch
  const result = new Map(isTree(value) ? Object.entries(value) : [])
  for (const [key, change] of Object.entries(patch)) {
    if (change === null) result.delete(key)
    else result.set(key, mergePatch(result.get(key), change))
  }
  return Object.fromEntries(result)
}

/** Lays `patch` over `text`, whose content is `value`. */
export function mergeText(text: string, value: Tree, patch: Tree, notation: Notation): Merged {
  if (notation === 'json5') {
    const why = 'A JSON5 file is never rewritten, since its comments would be lost'
    return { refused: `${why}. Change it by hand, or keep the config as gateway.yaml` }
  }
  const wanted = mergePatch(value, patch)
  return notation === 'json' ? { text: jsonText(text, wanted) } : yamlText(text, wanted, patch)
}

function jsonText(before: string, value: unknown): string {
  const indent = /\n([ \t]+)"/.exec(before)?.[1] ?? '  '
  return `${JSON.stringify(value, null, indent)}\n`
}

function yamlText(text: string, wanted: unknown, patch: Tree): Merged {
  const document = yamlDocument(text)
  const spliced = spliceValues(text, document, patch)
  if (spliced !== undefined && means(spliced, wanted)) return { text: spliced }
  mergeInto(rootOf(document), patch, document)
  const layout = { lineWidth: 0, indent: indentOf(text), flowCollectionPadding: !/(?:^|[:,[-] )\{[^\s}]/m.test(text) }
  const merged = withLineEnds(document.toString(layout), text)
  if (means(merged, wanted)) return { text: merged }
  return { refused: 'This change touches a part that the file shares between sections by an anchor (&name). Change it by hand' }
}

function means(text: string, wanted: unknown): boolean {
  const document = yamlDocument(text)
  return document.errors.length === 0 && isDeepStrictEqual(plain(document.toJS()), plain(wanted))
}

function rootOf(document: Document.Parsed): YAMLMap {
  if (!isMap(document.contents)) {
    const empty = document.createNode({})
    // A file of nothing but comments has no content to hang a section on; its comments stay where they are.
    document.contents = empty as unknown as typeof document.contents
    return empty
  }
  return document.contents
}

function mergeInto(map: YAMLMap, patch: Tree, document: Document.Parsed): void {
  for (const [key, change] of Object.entries(patch)) {
    const pair = map.items.find((item) => String(item.key) === key)
    if (change === null) map.items = map.items.filter((item) => item !== pair)
    else if (!pair) map.items.push(document.createPair(key, mergePatch(undefined, change)))
    else pair.value = replaced(pair.value, change, document)
  }
}

function replaced(node: unknown, change: unknown, document: Document.Parsed): unknown {
  if (isAlias(node)) return document.createNode(mergePatch(node.toJS(document), change))
  if (isMap(node) && isTree(change)) {
    mergeInto(node, change, document)
    return node
  }
  if (isScalar(node) && !isTree(change) && !Array.isArray(change)) {
    node.value = change
    delete node.source // else a number would be written as it was spelled
    return node
  }
  const fresh = document.createNode(mergePatch(undefined, change))
  if (isNode(node)) {
    fresh.comment = node.comment ?? null
    fresh.commentBefore = node.commentBefore ?? null
    if ('flow' in node && 'flow' in fresh) fresh.flow = node.flow
  }
  return fresh
}

function indentOf(text: string): number {
  return /^[^\s#][^\n]*:[^\n]*\r?\n(?:\s*\n|\s*#[^\n]*\n)*( +)\S/m.exec(text)?.[1]?.length ?? 2
}

function withLineEnds(text: string, like: string): string {
  return like.includes('\r\n') ? text.replaceAll('\n', '\r\n') : text
}

/** The same value without what only the parser knows: an absent section and an empty file are both nothing. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? {}))
}
