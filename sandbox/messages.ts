/**
 * Everything the two sides of the wall say to each other, one interface each. An *entry* is one run of a plugin's function,
 * numbered by the gateway; an *op* is one thing a plugin asks of its context, numbered by the child. A stream has the number
 * of the entry or op it answers, and moves only as far as its reader has given credit. What runs the plugin inside the child
 * may change; these do not.
 */
import type { Declared, Json, JsonObject, Refusal, Target, WalledEntry, WalledSource } from '@isopod/plugin-api'

/** Import the plugin and run its `register`. The first message, and sent once. */
export interface Load {
  readonly type: 'load'
  readonly source: WalledSource
  /** Where the plugin finds `@isopod/plugin-api`, as a URL. */
  readonly api: string
}

/** Run one of the plugin's functions. */
export interface Enter {
  readonly type: 'enter'
  readonly entry: number
  readonly target: Target
  readonly args: readonly Json[]
  readonly context?: NonNullable<WalledEntry['context']>
  /** How many items may come before more credit does; absent where the answer is one value. */
  readonly credit?: number
}

/** Abort the signal of an entry. The entry goes on until the plugin has ended it. */
export interface Abort {
  readonly type: 'abort'
  readonly entry: number
  readonly refusal: Refusal
}

/** What became of an op. With `streams` the items follow. */
export type Answer =
  | { readonly type: 'answer'; readonly op: number; readonly ok: true; readonly value?: Json; readonly streams?: true }
  | { readonly type: 'answer'; readonly op: number; readonly ok: false; readonly refusal: Refusal }

/** Are you there? Unanswered for too long, the process is killed. */
export interface Ping {
  readonly type: 'ping'
  readonly beat: number
}

/** The next item of a stream. Pieces of bytes come as frames of their own. */
export interface Item {
  readonly type: 'item'
  readonly stream: number
  readonly value: Json
}

/** The stream is over: of itself, or refused. */
export interface End {
  readonly type: 'end'
  readonly stream: number
  readonly refusal?: Refusal
  readonly bug?: Bug
}

/** The reader has room for so many more items. */
export interface Credit {
  readonly type: 'credit'
  readonly stream: number
  readonly count: number
}

/** The reader wants no more. What is under way is dropped; the `end` still comes. */
export interface Leave {
  readonly type: 'leave'
  readonly stream: number
}

/** The plugin is loaded, and this is what it contributes. */
export interface Loaded {
  readonly type: 'declared'
  readonly declared: Declared
}

/** The plugin could not be loaded. The last message. */
export interface Unloadable {
  readonly type: 'unloadable'
  readonly bug: Bug
}

/** An entry answered. */
export interface Result {
  readonly type: 'result'
  readonly entry: number
  readonly value?: Json
}

/** An entry refused, or failed where there is a `bug`. */
export interface Refused {
  readonly type: 'refusal'
  readonly entry: number
  readonly refusal: Refusal
  readonly bug?: Bug
}

/** Do something of the entry's context. Without an `op` nobody waits for the answer. */
export interface Host {
  readonly type: 'host'
  readonly entry: number
  readonly op?: number
  readonly name: string
  readonly args: readonly Json[]
  /** How many items may come before more credit does; absent where the answer is one value. */
  readonly credit?: number
}

/** Abort the signal of an op. Its answer still comes. */
export interface Abandon {
  readonly type: 'abandon'
  readonly op: number
}

/** A line for the gateway's log: the console, or what was thrown where nobody caught it. */
export interface LogLine {
  readonly type: 'log'
  readonly level: 'info' | 'warn' | 'error'
  readonly text: string
}

/** Here I am. */
export interface Pong {
  readonly type: 'pong'
  readonly beat: number
}

/** What plugin code threw that was no refusal. For the log; it never reaches a caller. */
export interface Bug extends JsonObject {
  readonly name: string
  readonly message: string
  readonly stack?: string
}

/** From the gateway to the child. Streams there answer ops. */
export type ToChild = Load | Enter | Abort | Answer | Ping | Item | End | Credit | Leave

/** From the child to the gateway. Streams there answer entries. */
export type FromChild = Loaded | Unloadable | Result | Refused | Host | Abandon | LogLine | Pong | Item | End | Credit | Leave
