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

/** A message as it is kept. `id` is the entry's number in the session, as text. */
export interface SessionMessage {
  readonly id: string
  readonly role: Message['role']
  /** The text of the message's parts. */
  readonly content: string
  readonly createdAt: string
  readonly runId?: string
  readonly parts?: Message['parts']
}

/**
 * `session.begin` (internal): commits the user's turn and the open run in one transaction, and answers the messages that
 * came before, oldest first, so that the caller needs no second read.
 */
export interface SessionBegin {
  readonly sessionKey: string
  readonly agentId: string
  readonly channel: string
  readonly runId: string
  readonly messages: readonly Message[]
  readonly metadata?: Readonly<Record<string, string>>
  /** How many earlier messages to answer (0 to 1000). */
  readonly history: number
}

export interface SessionBegun {
  readonly history: readonly Message[]
}

/** `session.commit` (internal): what the run added, how it ended, in one transaction. Answers nothing. */
export interface SessionCommit {
  readonly sessionKey: string
  readonly runId: string
  readonly messages: readonly Message[]
  readonly status: Exclude<RunStatus, 'open'>
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
}
