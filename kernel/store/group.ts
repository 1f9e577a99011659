/**
 * Runs what has come in together as one group: in order, with one transaction and one sync of the disk for all of its
 * writes, and a savepoint around each, so that a conflict undoes one writer and not its neighbours. Nobody is answered from
 * a transaction before it is committed; when the commit fails, every writer of the group is refused and the file is as before.
 * After the disk has failed, nothing is written until all that counts has reached it once more and was read back.
 */
import { damaged, makeSure } from './database.ts'
import { extendedCode, resultCode, SQLITE, type Database } from './engine.ts'
import type { Answer, Fault, Request } from './message.ts'
import { OpenRefusal } from './open-refusal.ts'
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
  /** Set when the disk failed: what the system has in memory may not be what is on it. */
  #doubt: Fault | undefined

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
    if (this.#doubt !== undefined) this.#mend()
    const trouble = this.#damage ?? this.#doubt
    if (trouble !== undefined) return this.#refuse(requests, trouble)
    let answers: readonly Answer[]
    try {
      answers = this.#transaction(requests)
    } catch (thrown) {
      this.#rollBack()
      return this.#recover(requests, thrown)
    }
    this.#options.answer(answers, answers.some((answer, at) => 'result' in answer && isWrite(requests[at])) ? 1 : 0)
  }

  /** The outcome is part of the commit that makes it true: it tells what happened if nobody lives to say so. */
  #transaction(requests: readonly Request[]): Answer[] {
    this.#database.exec('BEGIN IMMEDIATE')
    const answers = requests.map((request) => (isWrite(request) ? this.#write(request) : this.#read(request)))
    const written = answers.filter((_, at) => isWrite(requests[at]))
    if (written.some((answer) => 'result' in answer)) this.#remember(written)
    this.#database.exec('COMMIT')
    return answers
  }

  #remember(answers: readonly Answer[]): void {
    this.#rows.outcome = { sender: this.#options.sender, answers }
  }

  /**
   * Once a sync has failed, the system takes the pages it could not write for clean, and the next sync succeeds without them
   * (fsync(2)): asking again proves nothing. What was refused also lies in the log of the database as if it were committed,
   * and would be found there after a crash. So a commit of nothing is written over it, and then everything in the log is
   * written into the database anew, synced, and read.
   */
  #mend(): void {
    try {
      this.#database.exec('BEGIN IMMEDIATE')
      // A row that is given what it has already would not be written.
      this.#rows.outcome = { sender: '', answers: [] }
      this.#remember([])
      this.#database.exec('COMMIT')
      makeSure(this.#database, this.#options.path)
      this.#doubt = undefined
    } catch (thrown) {
      this.#rollBack()
      // One that is broken now stays so; whatever else stood in the way may be gone at the next try.
      if (thrown instanceof OpenRefusal && thrown.reason === 'damaged') this.#damage = { code: 'damaged', message: thrown.message }
      this.#fault(thrown)
    }
  }

  #rollBack(): void {
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
  }

  /** A write too large for the room that is left would take its neighbours with it, so each of them tries once more alone. */
  #recover(requests: readonly Request[], thrown: unknown): void {
    if (resultCode(thrown) === SQLITE.IOERR) return this.#distrust(requests, thrown)
    if (resultCode(thrown) !== SQLITE.FULL || requests.length === 1) return this.#refuse(requests, this.#fault(thrown))
    for (const request of requests) this.run([request])
  }

  /** Whether or not it can be mended now, these writers are told no: whoever asks again is written by a disk that works. */
  #distrust(requests: readonly Request[], thrown: unknown): void {
    const fault = this.#fault(thrown)
    this.#doubt = fault
    this.#mend()
    this.#refuse(requests, fault)
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
      if (!this.#database.isTransaction || OF_THE_DISK.has(resultCode(thrown))) throw thrown
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
  if (code === SQLITE.IOERR) return { code: 'unavailable', message: `The disk failed (${failedIn(thrown, message)}): nothing of this was kept. ${GOES_ON}` }
  if (code !== 0) return { code: 'unavailable', message: `The disk did not take it: ${message}` }
  return { code: 'internal', message }
}

const GOES_ON = 'Ask again when the disk works: the store goes on by itself as soon as everything it had kept is safe again'

const OF_THE_DISK: ReadonlySet<number> = new Set([SQLITE.FULL, SQLITE.IOERR])

/** SQLite says "disk I/O error" of all of them. The numbers are its extended result codes (sqlite.org/rescode.html). */
function failedIn(thrown: unknown, message: string): string {
  return FAILED_IN[extendedCode(thrown)] ?? message
}

const FAILED_IN: Readonly<Record<number, string>> = {
  266: 'it could not be read',
  522: 'a file is shorter than it was',
  778: 'it could not be written',
  1034: 'a sync did not succeed',
  1290: 'a sync of the folder did not succeed',
  1546: 'a file could not be cut back',
}
