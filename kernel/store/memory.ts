/**
 * The store in memory, for tests and for the gateway that plugin authors test in. It keeps JSON text like the real one,
 * so that a value is a copy from the moment it is written, and it passes the same conformance suite. Nothing survives it.
 */
import { RpcError } from '@isopod/plugin-api'
import type { Clock } from '../clock.ts'
import type { StoreDriver, StoreStats } from './driver.ts'
import { ANY_VERSION } from './message.ts'
import type { DocumentRow, EntryRow, GetQuestion, ListQuestion, Question, ReadQuestion } from './message.ts'
import type { Results, Step, WriteQuestion } from './message.ts'
import { openNamespace } from './namespace.ts'
import { bounded, conflict, Conflict, TooMuch } from './rows.ts'
import { unavailable } from './waiting.ts'

/** Opens an empty store in memory. */
export function openMemoryStore(options: { readonly clock: Clock }): StoreDriver {
  const tables = new Tables()
  const counts = { reads: 0, writes: 0, commits: 0, conflicts: 0, refused: 0, restarts: 0 }
  let state: StoreStats['state'] = 'open'

  /** The result is of the question's kind, which is what the cast says. */
  async function ask<Result>(question: Question): Promise<Result> {
    if (state !== 'open') throw unavailable('The store is closed')
    counts[question.kind === 'write' ? 'writes' : 'reads']++
    try {
      const result = tables.answer(question)
      if (question.kind === 'write') counts.commits++
      return result as Result
    } catch (thrown) {
      if (thrown instanceof Conflict) counts.conflicts++
      throw errorOf(thrown)
    }
  }

  return {
    namespace: (id) => openNamespace(id, ask, options.clock),
    close: async () => void (state = 'closed'),
    stats: () => ({ state, pending: 0, ...counts }),
    onFailure: () => () => {}, // memory does not fail
  }
}

function errorOf(thrown: unknown): unknown {
  if (thrown instanceof Conflict) return new RpcError('conflict', thrown.message)
  if (thrown instanceof TooMuch) return new RpcError('payload_too_large', thrown.message)
  return thrown
}

class Tables {
  readonly #collections = new Map<string, Map<string, DocumentRow>>()
  readonly #streams = new Map<string, EntryRow[]>()

  answer(question: Question): Results[Question['kind']] {
    switch (question.kind) {
      case 'get': return this.#get(question)
      case 'list': return this.#list(question)
      case 'read': return this.#read(question)
      case 'write': return this.#write(question)
    }
  }

  #get({ namespace, collection, key }: GetQuestion): DocumentRow | null {
    return this.#collection(namespace, collection).get(key) ?? null
  }

  #list({ namespace, collection, prefix, after, limit }: ListQuestion): readonly DocumentRow[] {
    const found = bounded<DocumentRow>()
    const rows = [...this.#collection(namespace, collection).values()]
      .filter(({ key }) => key.startsWith(prefix) && byBytes(key, after) > 0)
      .sort((one, other) => byBytes(one.key, other.key))
    for (const row of rows.slice(0, limit)) found.add(row)
    return found.rows
  }

  #read({ namespace, stream, after, before, newest, limit }: ReadQuestion): readonly EntryRow[] {
    const found = bounded<EntryRow>()
    const rows = this.#stream(namespace, stream).filter(({ seq }) => seq > after && seq < before)
    for (const row of newest ? rows.slice(-limit) : rows.slice(0, limit)) found.add(row)
    return found.rows
  }

  /** Each step leaves its own undo, so that a conflict takes back the steps before it. */
  #write({ namespace, at, steps }: WriteQuestion): readonly number[] {
    const undo: (() => void)[] = []
    try {
      return steps.map((step) => this.#apply(namespace, at, step, undo))
    } catch (thrown) {
      for (const back of undo.reverse()) back()
      throw thrown
    }
  }

  #apply(namespace: string, at: number, step: Step, undo: (() => void)[]): number {
    switch (step.kind) {
      case 'put':
      case 'remove': return this.#change(namespace, step, undo)
      case 'append': return this.#append(namespace, at, step, undo)
      case 'drop': return this.#drop(namespace, step.stream, undo)
    }
  }

  #change(namespace: string, step: Extract<Step, { kind: 'put' | 'remove' }>, undo: (() => void)[]): number {
    const documents = this.#collection(namespace, step.collection)
    const before = documents.get(step.key)
    const version = before?.version ?? 0
    if (step.ifVersion !== ANY_VERSION && step.ifVersion !== version) throw new Conflict(conflict(step, version))
    undo.push(() => (before === undefined ? documents.delete(step.key) : documents.set(step.key, before)))
    if (step.kind === 'put') documents.set(step.key, { key: step.key, value: step.value, version: version + 1 })
    else documents.delete(step.key)
    return step.kind === 'put' ? version + 1 : 0
  }

  #append(namespace: string, at: number, step: Extract<Step, { kind: 'append' }>, undo: (() => void)[]): number {
    const entries = this.#stream(namespace, step.stream)
    undo.push(() => entries.pop())
    return entries.push({ seq: entries.length + 1, at, value: step.value })
  }

  #drop(namespace: string, stream: string, undo: (() => void)[]): number {
    const entries = this.#stream(namespace, stream)
    const dropped = entries.splice(0)
    undo.push(() => entries.push(...dropped))
    return 0
  }

  #collection(namespace: string, collection: string): Map<string, DocumentRow> {
    return within(this.#collections, [namespace, collection], () => new Map<string, DocumentRow>())
  }

  #stream(namespace: string, stream: string): EntryRow[] {
    return within(this.#streams, [namespace, stream], (): EntryRow[] => [])
  }
}

function within<Value>(map: Map<string, Value>, names: readonly string[], make: () => Value): Value {
  const id = JSON.stringify(names)
  const found = map.get(id) ?? make()
  map.set(id, found)
  return found
}

/** The order of the bytes of UTF-8, which is SQLite's; JavaScript's own differs beyond U+FFFF. */
function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other))
}
