/** What other plugins may know of sessions: the shapes of its methods. Types only. */
import type { Message, Usage } from '@isopod/plugin-api'
import type { RunStatus } from '../chat/contract.ts'

/** A row of `session.list`. Times are ISO 8601. */
export interface SessionRow {
  readonly sessionKey: string
  readonly agentId: string
  readonly channel: string
  readonly createdAt: string
  readonly updatedAt: string
  /** User and assistant messages. */
  readonly messageCount: number
  readonly title?: string
}

/** What `session.list {limit?, after?, agentId?, channel?}` answers: newest first. `next` is the `after` of the next page. */
export interface SessionList {
  readonly sessions: readonly SessionRow[]
  readonly next?: string
}

/** A message as it is kept. `id` is the entry's number in the session, as text. */
export interface SessionMessage {
  readonly id: string
  readonly role: Message['role']
  /** The text of the message's parts. */
  readonly content: string
  readonly createdAt: string
  readonly runId?: string
  /** Present where there is more to the message than one text. */
  readonly parts?: Message['parts']
  readonly metadata?: Readonly<Record<string, string>>
  /** On the last message of a run that did not end well: how it ended. Where the run left no text, `content` is empty. */
  readonly status?: Exclude<RunStatus, 'open' | 'done'>
}

/** What `session.get {sessionKey, limit?, before?}` answers. */
export interface SessionDetail extends SessionRow {
  /** Oldest first. */
  readonly messages: readonly SessionMessage[]
}

/** The data of `session.changed`. */
export interface SessionChanged {
  readonly sessionKey: string
  readonly change: 'created' | 'messages' | 'patched' | 'reset' | 'deleted'
}

/**
 * `session.begin` (internal): commits the user's turn and the open run in one transaction, and answers the messages that
 * came before, oldest first, so that the caller needs no second read.
 */
export interface SessionBegin {
  readonly sessionKey: string
  /** The agent that answers from now on. Without it the session keeps the one it has; a new one gets `default`. */
  readonly agentId?: string
  /** Where a new session came from, `api` unless said. One that exists keeps its own. */
  readonly channel?: string
  readonly runId: string
  readonly messages: readonly Message[]
  readonly metadata?: Readonly<Record<string, string>>
  /** How many earlier messages to answer (0 to 1000). */
  readonly history: number
}

export interface SessionBegun {
  readonly history: readonly Message[]
  /** The session's agent, after this turn. */
  readonly agentId: string
}

/** `session.commit` (internal): what the run added, how it ended, in one transaction. Answers nothing. */
export interface SessionCommit {
  readonly sessionKey: string
  readonly runId: string
  readonly messages: readonly Message[]
  readonly status: Exclude<RunStatus, 'open' | 'interrupted'>
  readonly usage?: Usage
  readonly error?: { readonly code: string; readonly message: string }
}

/** `session.run {runId}` (internal): what is kept of a run; refused `not_found` for one that is unknown or another caller's. */
export interface SessionRun {
  readonly runId: string
  readonly sessionKey: string
  readonly status: RunStatus
  readonly response: string
  readonly usage?: Usage
  readonly error?: { readonly code: string; readonly message: string }
}
