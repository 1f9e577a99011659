/**
 * Runs what has come in together as one group: in order, with one transaction and one sync of the disk for all of its
 * writes, and a savepoint around each, so that a conflict undoes one writer and not its neighbours. Nobody is answered from
 * a transaction before it is committed; when the commit fails, every writer of the group is refused and the file is as before.
 */
import { damaged } from './database.ts'
import { resultCode, SQLITE, type Database } from './engine.ts'
import type { Answer, Fault, Request } from './message.ts'
import { Conflict, Rows, TooMuch } from './rows.ts'

export interface GroupOptions {
  readonly database: Database
  readonly path: string
  readonly sender: string
  /** Called with each bundle of answers as soon as they are true. */
  answer(answers: readonly Answer[], commits: number): void
}

export class Group {
  readonly #options: GroupOptions
  readonly #database: Database
  readonly #rows: Rows
  /** Set when the file turned out to be broken: a write could break more of it. */
  #damage: Fault | undefined

  constructor(options: GroupOptions) {
    this.#options = options
    this.#database = options.database
    this.#rows = new Rows(options.database)
  }

  /** Answers every request exactly once. Never throws for what the database does. */
  run(requests: readonly Request[]): void {
    const first = requests.findIndex(isWrite)
    const alone = first === -1 ? requests : requests.slice(0, first)
    if (alone.length > 0) this.#options.answer(alone.map((request) => this.#read(request)), 0)
    if (first !== -1) this.#commit(requests.slice(first))
  }

  #commit(requests: readonly Request[]): void {
    if (this.#damage !== undefined) return this.#refuse(requests, this.#damage)
    let answers: readonly Answer[]
    try {
      answers = this.#transaction(requests)
    } catch (thrown) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      return this.#recover(requests, thrown)
    }
    this.#options.answer(answers, answers.some((answer, at) => 'result' in answer && isWrite(requests[at])) ? 1 : 0)
  }

  /** The outcome is part of the commit that makes it true: it tells what happened if nobody lives to say so. */
  #transaction(requests: readonly Request[]): Answer[] {
    this.#database.exec('BEGIN IMMEDIATE')
    const answers = requests.map((request) => (isWrite(request) ? this.#write(request) : this.#read(request)))
    const written = answers.filter((_, at) => isWrite(requests[at]))
    if (written.some((answer) => 'result' in answer)) this.#rows.outcome = { sender: this.#options.sender, answers: written }
    this.#database.exec('COMMIT')
    return answers
  }

  /** A write too large for the room that is left would take its neighbours with it, so each of them tries once more alone. */
  #recover(requests: readonly Request[], thrown: unknown): void {
    if (resultCode(thrown) !== SQLITE.FULL || requests.length === 1) return this.#refuse(requests, this.#fault(thrown))
    for (const request of requests) this.run([request])
  }

  /** Throws where the whole transaction is lost. */
  #write(request: Request): Answer {
    this.#database.exec('SAVEPOINT writer')
    try {
      const result = this.#rows.answer(request.question)
      this.#database.exec('RELEASE writer')
      return { id: request.id, result }
    } catch (thrown) {
      // A full disk may have ended the transaction already; what has no savepoint left cannot be undone in part.
      if (!this.#database.isTransaction || resultCode(thrown) === SQLITE.FULL) throw thrown
      this.#database.exec('ROLLBACK TO writer; RELEASE writer')
      return { id: request.id, fault: this.#fault(thrown) }
    }
  }

  #read(request: Request): Answer {
    try {
      return { id: request.id, result: this.#rows.answer(request.question) }
    } catch (thrown) {
      return { id: request.id, fault: this.#fault(thrown) }
    }
  }

  /** Reads do not need room on the disk: they are answered from what is there. */
  #refuse(requests: readonly Request[], fault: Fault): void {
    this.#options.answer(requests.map((request) => (isWrite(request) ? { id: request.id, fault } : this.#read(request))), 0)
  }

  #fault(thrown: unknown): Fault {
    const fault = faultOf(thrown, this.#options.path)
    if (fault.code === 'damaged') this.#damage = fault
    return fault
  }
}

function isWrite(request: Request | undefined): boolean {
  return request?.question.kind === 'write'
}

function faultOf(thrown: unknown, path: string): Fault {
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  if (thrown instanceof Conflict) return { code: 'conflict', message }
  if (thrown instanceof TooMuch) return { code: 'payload_too_large', message }
  const code = resultCode(thrown)
  if (code === SQLITE.CORRUPT || code === SQLITE.NOTADB) return { code: 'damaged', message: damaged(path, message) }
  if (code === SQLITE.FULL) return { code: 'unavailable', message: 'There is no room left on the disk' }
  if (code === SQLITE.BUSY) return { code: 'unavailable', message: 'Another program has the database locked' }
  if (code !== 0) return { code: 'unavailable', message: `The disk did not take it: ${message}` }
  return { code: 'internal', message }
}
