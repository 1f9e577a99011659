/**
 * Where things are kept: documents under a collection and a key, streams that only grow, transactions over both. The port is
 * asynchronous because it has to be able to leave the machine; the embedded driver answers from a worker thread. A
 * plugin sees its own namespace and nothing else. Nothing but a driver knows SQL.
 */
import type { Json } from './json.ts'

/**
 * A document. `version` starts at 1 and grows by one with each write of that key; a key that was removed and is written
 * again starts at 1 again.
 */
export interface Document<Value extends Json = Json> {
  readonly key: string
  readonly value: Value
  readonly version: number
}

/** An entry of a stream. `seq` starts at 1 and never has a gap within one stream; `at` is in milliseconds since 1970. */
export interface Entry<Value extends Json = Json> {
  readonly seq: number
  readonly at: number
  readonly value: Value
}

/** One step of a transaction. All steps of a transaction are applied, or none. */
export type Write =
  /** Sets a document. `ifVersion` refuses the whole transaction with `conflict` unless the key is at it; 0 means absent. */
  | { readonly put: string; readonly key: string; readonly value: Json; readonly ifVersion?: number }
  /** Removes a document; an absent one is no error. */
  | { readonly remove: string; readonly key: string; readonly ifVersion?: number }
  /** Adds an entry to the end of a stream. */
  | { readonly append: string; readonly value: Json }
  /** Removes a whole stream. Its numbers start at 1 again. */
  | { readonly drop: string }

/** What a step did: the document's new version, or the entry's number. Steps that only remove answer 0. */
export type Written = readonly number[]

/** Which documents to list: in the order of their keys, those after `after` (exclusive), at most `limit` (100 unless said, 1000 at most). */
export interface ListQuery {
  readonly prefix?: string
  readonly after?: string
  readonly limit?: number
}

/**
 * Which entries to read: those after `after` and before `before`, both exclusive; oldest first, or with `newest` the last
 * `limit` of them, still told oldest first. At most `limit` (100 unless said, 1000 at most).
 */
export interface ReadQuery {
  readonly after?: number
  readonly before?: number
  readonly newest?: boolean
  readonly limit?: number
}

export interface Store {
  /** The document, or undefined. Sees every write that was acknowledged before the call. */
  get<Value extends Json = Json>(collection: string, key: string): Promise<Document<Value> | undefined>
  list<Value extends Json = Json>(collection: string, query?: ListQuery): Promise<readonly Document<Value>[]>
  read<Value extends Json = Json>(stream: string, query?: ReadQuery): Promise<readonly Entry<Value>[]>
  /**
   * One transaction. When it resolves, the writes survive the loss of the process and of power. Rejects with `conflict`
   * where a version did not fit, `invalid_request` where a name is too long or a value is no JSON, `payload_too_large`
   * past what one transaction may hold, `unavailable` (retryable) where the disk or the driver would not take it; in each
   * case nothing was written.
   */
  write(writes: readonly Write[]): Promise<Written>
}
