/** A page of the log, from memory as far as that goes and from the files beyond it, as if it were one long list. */
import { readBack, readOn, type Choice } from './history.ts'
import { entryOf, isWanted, nextOf, pageOf, type LogEntry, type LogPage, type LogQuery, type Ring } from './ring.ts'

export interface PageParts {
  readonly ring: Ring
  /** The newest of the files; undefined where there are none. */
  readonly path: string | undefined
  /** Resolves once what was logged so far is in the file, or the disk would not take it. */
  readonly flush: () => Promise<void>
  /** Takes out what is secret by now. */
  readonly clean: (value: unknown) => unknown
}

/** Never rejects for what is in a file; one that cannot be read has no lines. */
export async function readPage(query: LogQuery, parts: PageParts): Promise<LogPage> {
  const { ring, path, clean } = parts
  // What memory has is taken in one turn with the place where it begins: it may lose more lines while files are read.
  const { first } = ring
  const page = ring.read(query, clean)
  const isWhole = query.after === undefined ? page.entries.length === pageOf(query.limit) : query.after + 1 >= first
  if (path === undefined || first <= 1 || isWhole) return page
  await parts.flush()
  return query.after === undefined ? pageBack(query, { ...parts, path, page, first }) : pageOn(query, query.after, { ...parts, path })
}

async function pageOn(query: LogQuery, after: number, parts: PageParts & { readonly path: string }): Promise<LogPage> {
  const { before = Infinity, limit } = query
  const size = pageOf(limit)
  const { kept, seen } = await readOn(parts.path, after, size, choiceOf(query, parts))
  if (kept.length === size) return upTo(before, kept, nextOf(kept, limit, seen))
  const newer = parts.ring.read({ ...query, after: seen, limit: size - kept.length }, parts.clean)
  return upTo(before, [...kept, ...newer.entries], newer.next)
}

interface Begun extends PageParts {
  readonly path: string
  /** What was in memory. */
  readonly page: LogPage
  readonly first: number
}

async function pageBack(query: LogQuery, parts: Begun): Promise<LogPage> {
  const { path, page, first } = parts
  const missing = pageOf(query.limit) - page.entries.length
  const older = await readBack(path, Math.min(first, query.before ?? Infinity), missing, choiceOf(query, parts))
  return { ...page, entries: [...older, ...page.entries] }
}

function upTo(before: number, entries: readonly LogEntry[], next: number): LogPage {
  return { entries: entries.filter(({ seq }) => seq < before), next: Math.min(next, before - 1) }
}

function choiceOf(query: LogQuery, { clean }: PageParts): Choice<LogEntry> {
  return { wants: (line) => isWanted(line, query), make: (seq, line) => entryOf(seq, line, clean) }
}
