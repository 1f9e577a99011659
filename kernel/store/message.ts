/**
 * What the gateway's thread and the store's thread say to each other, as tagged unions. Values cross as JSON text and never
 * as objects: copying text is one move of memory, and a value that was valid when it was written stays as it was.
 */

export interface DocumentRow {
  readonly key: string
  readonly value: string
  readonly version: number
}

export interface EntryRow {
  readonly seq: number
  readonly at: number
  readonly value: string
}

export interface GetQuestion {
  readonly kind: 'get'
  readonly namespace: string
  readonly collection: string
  readonly key: string
}

export interface ListQuestion {
  readonly kind: 'list'
  readonly namespace: string
  readonly collection: string
  readonly prefix: string
  /** Exclusive; empty for the beginning, since no key is empty. */
  readonly after: string
  readonly limit: number
}

export interface ReadQuestion {
  readonly kind: 'read'
  readonly namespace: string
  readonly stream: string
  /** Both exclusive. */
  readonly after: number
  readonly before: number
  readonly newest: boolean
  readonly limit: number
}

/** One step of a transaction. A version of -1 means that any will do. */
export type Step =
  | { readonly kind: 'put'; readonly collection: string; readonly key: string; readonly value: string; readonly ifVersion: number }
  | { readonly kind: 'remove'; readonly collection: string; readonly key: string; readonly ifVersion: number }
  | { readonly kind: 'append'; readonly stream: string; readonly value: string }
  | { readonly kind: 'drop'; readonly stream: string }

export const ANY_VERSION = -1

export interface WriteQuestion {
  readonly kind: 'write'
  readonly namespace: string
  /** When the entries were appended, in milliseconds since 1970. */
  readonly at: number
  /** How much JSON text the steps carry. */
  readonly length: number
  readonly steps: readonly Step[]
}

export type Question = GetQuestion | ListQuestion | ReadQuestion | WriteQuestion

/** What each question is answered with. */
export interface Results {
  readonly get: DocumentRow | null
  readonly list: readonly DocumentRow[]
  readonly read: readonly EntryRow[]
  readonly write: readonly number[]
}

/** Asks the one who keeps the rows. Rejects with an `RpcError`. */
export type Ask = <Kind extends Question['kind']>(question: Extract<Question, { kind: Kind }>) => Promise<Results[Kind]>

/** A call on its way to the thread. `id` grows by one with each call of a driver. */
export interface Request {
  readonly id: number
  readonly question: Question
}

/** Why a call failed, as data. `damaged`: the file itself is broken and nothing is written to it any more. */
export interface Fault {
  readonly code: 'conflict' | 'unavailable' | 'payload_too_large' | 'damaged' | 'internal'
  readonly message: string
}

export type Answer =
  | { readonly id: number; readonly result: Results[Question['kind']] }
  | { readonly id: number; readonly fault: Fault }

/** What a group that changed something was answered, kept in the database by the commit that made it true. */
export interface Outcome {
  /** Which driver asked. */
  readonly sender: string
  readonly answers: readonly Answer[]
}

/** What the thread is started with. */
export interface ThreadOptions {
  readonly path: string
  readonly sender: string
  readonly busyMs?: number
  /** How large the database may grow, in bytes; as large as the disk unless said. */
  readonly maxBytes?: number
  /** Other migrations than the program's own; for tests. */
  readonly migrations?: readonly string[]
}

/** Why a database was not opened. */
export type OpenReason = 'damaged' | 'newer' | 'foreign' | 'unwritable' | 'busy' | 'failed'

/** From the gateway's thread: calls in order, or the wish that the thread ends after those it has. */
export type ToThread = readonly Request[] | 'close'

/** From the store's thread. The first message is `opened` or `refused`, all others are `answered`. */
export type FromThread =
  | { readonly kind: 'opened'; readonly from: number; readonly to: number; readonly backup?: string; readonly outcome?: Outcome }
  | { readonly kind: 'refused'; readonly reason: OpenReason; readonly message: string }
  | { readonly kind: 'answered'; readonly answers: readonly Answer[]; readonly commits: number }
