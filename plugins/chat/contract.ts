/** What other plugins may know of chat: the shapes of its methods and events. Types only. */
import type { FinishReason, Message, OfferedTool, Sampling, ToolChoice, Usage } from '@isopod/plugin-api'

/** Params of `chat.run` and `chat.start`. One of `message` and `messages` is required. */
export interface ChatRunParams {
  /** Short for one user message with one text part. */
  readonly message?: string
  readonly messages?: readonly Message[]
  /** 1 to 256 printable characters; a fresh one is made where it is absent. */
  readonly sessionKey?: string
  readonly agentId?: string
  /** An agent, `provider/model`, or anything else: then the default model answers under the requested name. */
  readonly model?: string
  /**
   * `session` (the default): the session's messages come before the given ones.
   * `given`: the given ones are the whole conversation.
   */
  readonly history?: 'session' | 'given'
  readonly sampling?: Sampling
  /** Tools the client runs itself: when one is called the run is over, and its finish reason is `tool_calls`. */
  readonly clientTools?: readonly OfferedTool[]
  readonly toolChoice?: ToolChoice
  /** False: no `chat.delta` events. */
  readonly stream?: boolean
  /** The documents' spelling of three of the others; what it says wins. */
  readonly options?: { readonly thinking?: Sampling['thinking']; readonly stream?: boolean; readonly model?: string }
  /** Where the message came from: `api`, `openai`, `ws`, `hook`, `cron`, or a channel's id. Kept with the session. */
  readonly channel?: string
  /** Kept beside the user's message. */
  readonly metadata?: Readonly<Record<string, string>>
}

/** What `chat.run` answers. */
export interface ChatRunResult {
  readonly runId: string
  readonly sessionKey: string
  /** The name of the model as it was asked for, or the one that answered. */
  readonly model: string
  readonly response: string
  readonly finishReason: FinishReason
  /** Calls of the client's own tools, when `finishReason` is `tool_calls`. */
  readonly toolCalls: readonly { readonly id: string; readonly name: string; readonly args: unknown }[]
  readonly usage: Usage
}

/** How a run ended, or that it has not. `interrupted`: the gateway stopped while it was open. */
export type RunStatus = 'open' | 'done' | 'failed' | 'aborted' | 'interrupted'

/** What `chat.start` answers. */
export interface ChatStarted {
  readonly runId: string
  readonly sessionKey: string
}

/** What `chat.abort {runId}` answers. */
export interface ChatAborted {
  readonly ok: true
  /** False where the run was over already. */
  readonly aborted: boolean
}

/** What `chat.resume {runId, after?}` answers. The events after `after` that are still kept follow on the socket. */
export interface ChatResumed {
  readonly runId: string
  readonly sessionKey: string
  readonly status: RunStatus
  /**
   * The number of the first event that is still kept: where it is past
   * `after + 1`, those between are lost. 0 where none is kept.
   */
  readonly firstSeq: number
  /** The number of the run's last event; 0 where its events are no longer kept. */
  readonly lastSeq: number
  /** Whether events follow: false where the run is over and its events are gone, and `response` is all there is. */
  readonly events: boolean
  /** Everything the run had said when it ended. Absent while it is open. */
  readonly response?: string
  readonly usage?: Usage
  /** Why it failed, where it did. */
  readonly error?: { readonly code: string; readonly message: string }
}

/** The data of the events of a run. Each also carries its number, `seq`, beside the data. */
export interface ChatEvents {
  'chat.started': { readonly runId: string; readonly sessionKey: string; readonly model: string }
  'chat.delta': { readonly runId: string; readonly sessionKey: string; readonly delta: string }
  'chat.thinking': { readonly runId: string; readonly sessionKey: string; readonly delta: string }
  'tool.call': { readonly runId: string; readonly callId: string; readonly tool: string; readonly params: unknown; readonly client?: boolean }
  'tool.result': { readonly runId: string; readonly callId: string; readonly tool: string; readonly result: unknown; readonly isError?: boolean }
  'chat.done': {
    readonly runId: string
    readonly sessionKey: string
    readonly finishReason: FinishReason
    readonly usage: Usage
  }
  'chat.error': { readonly runId: string; readonly sessionKey: string; readonly error: { readonly code: string; readonly message: string } }
}
