/**
 * The SQL of the store: one method for each question, over prepared statements. Steps are run inside a transaction that
 * somebody else begins and ends, so nothing here commits. Knows nothing of threads, groups or JSON.
 */
import { ANSWER_LENGTH } from './bounds.ts'
import type { Database, Statement } from './engine.ts'
import { ANY_VERSION } from './message.ts'
import type { DocumentRow, EntryRow, GetQuestion, ListQuestion, Outcome, Question } from './message.ts'
import type { ReadQuestion, Results, Step, WriteQuestion } from './message.ts'

/** A version did not fit: the transaction is to be undone, and only that one. */
export class Conflict extends Error {}
/** What was asked for is more than an answer may carry. */
export class TooMuch extends Error {}

export class Rows {
  readonly #get: Statement
  readonly #list: Statement
  readonly #oldest: Statement
  readonly #newest: Statement
  readonly #put: Statement
  readonly #remove: Statement
  readonly #next: Statement
  readonly #append: Statement
  readonly #dropEntries: Statement
  readonly #dropStream: Statement
  readonly #setOutcome: Statement
  readonly #outcome: Statement

  constructor(database: Database) {
    const sql = (text: string): Statement => database.prepare(text)
    this.#get = sql('SELECT key, value, version FROM documents WHERE namespace = ? AND collection = ? AND key = ?')
    this.#list = sql(`SELECT key, value, version FROM documents WHERE namespace = ? AND collection = ?
      AND key >= max(?, ?) AND key <> ? ORDER BY key LIMIT ?`)
    const entries = (order: string): Statement => sql(`SELECT seq, at, value FROM entries
      WHERE stream = (SELECT id FROM streams WHERE namespace = ? AND name = ?) AND seq > ? AND seq < ? ORDER BY seq ${order} LIMIT ?`)
    this.#oldest = entries('ASC')
    this.#newest = entries('DESC')
    this.#put = sql(`INSERT INTO documents (namespace, collection, key, value, version) VALUES (?, ?, ?, ?, 1)
      ON CONFLICT DO UPDATE SET value = excluded.value, version = version + 1 RETURNING version`)
    this.#remove = sql('DELETE FROM documents WHERE namespace = ? AND collection = ? AND key = ?')
    this.#next = sql(`INSERT INTO streams (namespace, name, head) VALUES (?, ?, 1)
      ON CONFLICT DO UPDATE SET head = head + 1 RETURNING id, head`)
    this.#append = sql('INSERT INTO entries (stream, seq, at, value) VALUES (?, ?, ?, ?)')
    this.#dropEntries = sql('DELETE FROM entries WHERE stream = (SELECT id FROM streams WHERE namespace = ? AND name = ?)')
    this.#dropStream = sql('DELETE FROM streams WHERE namespace = ? AND name = ?')
    this.#setOutcome = sql('UPDATE outcome SET sender = ?, answers = ?')
    this.#outcome = sql('SELECT sender, answers FROM outcome')
  }

  /** Answers a question. A write leaves its steps in the open transaction, and throws `Conflict` where a version did not fit. */
  answer(question: Question): Results[Question['kind']] {
    switch (question.kind) {
      case 'get': return this.get(question)
      case 'list': return this.list(question)
      case 'read': return this.read(question)
      case 'write': return this.write(question)
    }
  }

  get(question: GetQuestion): DocumentRow | null {
    const row = this.#get.get(question.namespace, question.collection, question.key)
    return row === undefined ? null : document(row)
  }

  /** Keys with one prefix stand together, so the first one without it is the end. */
  list({ namespace, collection, prefix, after, limit }: ListQuestion): DocumentRow[] {
    const found = bounded<DocumentRow>()
    for (const row of this.#list.iterate(namespace, collection, prefix, after, after, limit)) {
      const next = document(row)
      if (!next.key.startsWith(prefix)) break
      found.add(next)
    }
    return found.rows
  }

  read({ namespace, stream, after, before, newest, limit }: ReadQuestion): EntryRow[] {
    const found = bounded<EntryRow>()
    for (const row of (newest ? this.#newest : this.#oldest).iterate(namespace, stream, after, before, limit)) found.add(entry(row))
    return newest ? found.rows.reverse() : found.rows
  }

  write({ namespace, at, steps }: WriteQuestion): number[] {
    return steps.map((step) => this.#apply(namespace, at, step))
  }

  /** What the writers of the last commit were told. */
  get outcome(): Outcome {
    const row = this.#outcome.get()
    // The column holds what the setter below wrote into it, in the same transaction as everything else.
    return { sender: String(row?.['sender']), answers: JSON.parse(String(row?.['answers'])) as Outcome['answers'] }
  }

  set outcome({ sender, answers }: Outcome) {
    this.#setOutcome.run(sender, JSON.stringify(answers))
  }

  #apply(namespace: string, at: number, step: Step): number {
    switch (step.kind) {
      case 'put': return this.#putDocument(namespace, step)
      case 'remove': return this.#removeDocument(namespace, step)
      case 'append': return this.#appendEntry(namespace, at, step)
      case 'drop': return this.#drop(namespace, step.stream)
    }
  }

  #putDocument(namespace: string, step: Extract<Step, { kind: 'put' }>): number {
    this.#expect(namespace, step)
    return Number(this.#put.get(namespace, step.collection, step.key, step.value)?.['version'])
  }

  #removeDocument(namespace: string, step: Extract<Step, { kind: 'remove' }>): number {
    this.#expect(namespace, step)
    this.#remove.run(namespace, step.collection, step.key)
    return 0
  }

  #appendEntry(namespace: string, at: number, step: Extract<Step, { kind: 'append' }>): number {
    const stream = this.#next.get(namespace, step.stream)
    const seq = Number(stream?.['head'])
    this.#append.run(Number(stream?.['id']), seq, at, step.value)
    return seq
  }

  #drop(namespace: string, stream: string): number {
    this.#dropEntries.run(namespace, stream)
    this.#dropStream.run(namespace, stream)
    return 0
  }

  #expect(namespace: string, step: Extract<Step, { kind: 'put' | 'remove' }>): void {
    if (step.ifVersion === ANY_VERSION) return
    const version = Number(this.#get.get(namespace, step.collection, step.key)?.['version'] ?? 0)
    if (version !== step.ifVersion) throw new Conflict(conflict(step, version))
  }
}

/** What a writer is told whose version did not fit. */
export function conflict(step: Extract<Step, { kind: 'put' | 'remove' }>, version: number): string {
  const is = version === 0 ? 'is absent' : `is at version ${version}`
  const wanted = step.ifVersion === 0 ? 'was expected to be absent' : `was expected at version ${step.ifVersion}`
  return `${JSON.stringify(step.key)} in ${JSON.stringify(step.collection)} ${is} and ${wanted}`
}

/** Collects rows up to what an answer may carry. Shared with the driver in memory, so that both refuse alike. */
export function bounded<Row extends { readonly value: string }>(): { readonly rows: Row[]; add(row: Row): void } {
  const rows: Row[] = []
  let length = 0
  return {
    rows,
    add(row) {
      length += row.value.length
      if (length > ANSWER_LENGTH)
        throw new TooMuch(`The answer would be longer than ${ANSWER_LENGTH} characters: ask for fewer with \`limit\``)
      rows.push(row)
    },
  }
}

function document(row: Record<string, unknown>): DocumentRow {
  return { key: String(row['key']), value: String(row['value']), version: Number(row['version']) }
}

function entry(row: Record<string, unknown>): EntryRow {
  return { seq: Number(row['seq']), at: Number(row['at']), value: String(row['value']) }
}
