/** What other plugins may know of webhooks: the shapes of its methods. Types only. */
import type { Refusal } from '@isopod/plugin-api'

/** When a wake-up reaches the agent: at once, or with the next heartbeat. */
export type WakeMode = 'now' | 'next-heartbeat'

/** Params of `hook.wake`. */
export interface HookWake {
  readonly text: string
  readonly mode?: WakeMode
}

/** What `hook.wake` answers. `runId` only where a run started. */
export interface HookWoken {
  readonly ok: true
  readonly mode: WakeMode
  readonly runId?: string
}

/** Params of `hook.agent`. */
export interface HookAgent {
  readonly message: string
  readonly agentId?: string
  readonly sessionKey?: string
  /** The sender's name, for people. */
  readonly name?: string
  /** Whether the answer is sent through `channel` to `to`, where both are given. True unless said. */
  readonly deliver?: boolean
  readonly channel?: string
  readonly to?: string
  readonly model?: string
  readonly thinking?: 'low' | 'medium' | 'high'
  readonly wakeMode?: WakeMode
  readonly timeoutSeconds?: number
}

/** What `hook.agent` answers, at once; the run goes on in the background. */
export interface HookStarted {
  readonly ok: true
  /** Absent where the message waits for the next heartbeat. */
  readonly runId?: string
}

/** A wake-up that waits for the next heartbeat, as `hook.waiting` answers it. */
export interface WaitingWake {
  readonly text: string
  readonly at: number
}

/** What became of a run that a hook began, as `hook.runs` answers it. */
export interface HookRun {
  readonly runId: string
  readonly sessionKey: string
  /** The mapping's name, or `agent` or `wake`. */
  readonly hook: string
  readonly startedAt: number
  readonly endedAt?: number
  /** Why the run failed. */
  readonly error?: Refusal
  readonly delivery?: { readonly channel: string; readonly to: string; readonly ids?: readonly string[]; readonly error?: Refusal }
}
