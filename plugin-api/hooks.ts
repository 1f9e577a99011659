/**
 * Every hook of the gateway, in one object. A hook's name says what a tap of it can do: add something (a plural
 * noun), object or alter (`-ing`), or listen (`-ed`). Plugins are given no way to ring one; what a method's noun owns
 * (`toolCalling` for `tool.*`) is rung by the handler that serves the noun, through its context, and nobody else.
 */
import type { Caller } from './caller.ts'
import type { ChannelRegistry } from './channel.ts'
import type { Context } from './context.ts'
import type { DialectRegistry } from './dialect.ts'
import type { Json, JsonObject } from './json.ts'
import type { MethodRegistry } from './method.ts'
import type { Message, ModelRegistry, OfferedTool } from './model.ts'
import type { RouteRegistry } from './route.ts'
import type { ToolRegistry } from './tool.ts'
import type { RefusalCode } from './error.ts'

/** A call about to reach its handler. */
export interface CallStarting {
  readonly method: string
  readonly params: JsonObject
  readonly caller: Caller
}

/** A call that has ended. `durationMs` is the handler's, by a clock that only goes forward. */
export interface CallSettled {
  readonly method: string
  readonly caller: Caller
  readonly durationMs: number
  /** Absent where the call succeeded. */
  readonly refusal?: RefusalCode
}

/** What the model is about to be sent. */
export interface PromptShaping {
  readonly sessionKey: string
  readonly agentId: string
  readonly model: string
  readonly messages: readonly Message[]
  readonly tools: readonly OfferedTool[]
}

/** A tool about to run. */
export interface ToolCalling {
  readonly tool: string
  readonly args: Json
  readonly effects: readonly string[]
  readonly caller: Caller
  readonly agentId?: string
}

/** A message about to leave through a channel. */
export interface MessageSending {
  readonly channel: string
  readonly to: string
  readonly text: string
  readonly caller: Caller
}

/** Hooks that may change or refuse, by the noun whose handler rings them; `kernel` are rung by the kernel itself. */
export const ASKING_HOOKS = { callStarting: 'kernel', promptShaping: 'chat', toolCalling: 'tool', messageSending: 'channel' } as const
/** Hooks that only hear. */
export const HEARING_HOOKS = { callSettled: 'kernel' } as const
/** Hooks that contribute. */
export const CONTRIBUTING_HOOKS = ['methods', 'routes', 'dialects', 'tools', 'models', 'channels'] as const

export interface AskingHooks {
  callStarting: CallStarting
  promptShaping: PromptShaping
  toolCalling: ToolCalling
  messageSending: MessageSending
}

export interface HearingHooks {
  callSettled: CallSettled
}

/**
 * What a tap of an `-ing` hook answers: nothing, a refusal in words for the caller, or the fields to change. It never
 * mutates the subject, which is frozen. A throw, or silence past the deadline, refuses.
 */
export type TapAnswer<Subject> = undefined | void | { readonly refuse: string } | { readonly change: Partial<Subject> }

/** What became of the question. */
export type Verdict<Subject> =
  | { readonly subject: Subject }
  | { readonly refused: string; readonly by: string }

export interface TapOptions {
  readonly name: string
  /** Runs before this tap, `<plugin id>/<name>`. One that does not exist is refused. */
  readonly before?: string
  /** For `-ing`: how long it may take, in milliseconds (200 unless said, 5,000 at most). */
  readonly deadlineMs?: number
}

export interface ContributingHook<Registry> {
  /** The tap is run once, right after `register`, and what it adds is kept. */
  tap(name: string | TapOptions, contribute: (registry: Registry) => void): void
}

export interface AskingHook<Subject> {
  tap(name: string | TapOptions, answer: (subject: Subject, ctx: Context) => TapAnswer<Subject> | Promise<TapAnswer<Subject>>): void
}

export interface HearingHook<Fact> {
  tap(name: string | TapOptions, hear: (fact: Fact, ctx: Context) => void | Promise<void>): void
}

export interface GatewayHooks {
  /** Things the gateway can do, by name. */
  readonly methods: ContributingHook<MethodRegistry>
  /** URLs, each a row onto a method. */
  readonly routes: ContributingHook<RouteRegistry>
  /** Spellings of the WebSocket. */
  readonly dialects: ContributingHook<DialectRegistry>
  /** Things the agent can do. */
  readonly tools: ContributingHook<ToolRegistry>
  /** APIs that serve language models. */
  readonly models: ContributingHook<ModelRegistry>
  /** Places where people write to the agent. */
  readonly channels: ContributingHook<ChannelRegistry>
  /** Before each call reaches its handler: may change the params or refuse. Costs every call; tap it sparingly. */
  readonly callStarting: AskingHook<CallStarting>
  /** After each call. */
  readonly callSettled: HearingHook<CallSettled>
  /** Before each request to a model: may change messages and tools, or refuse. */
  readonly promptShaping: AskingHook<PromptShaping>
  /** Before each tool runs: may change its arguments or refuse. */
  readonly toolCalling: AskingHook<ToolCalling>
  /** Before each message leaves: may change whom it is for and what it says, or refuse. */
  readonly messageSending: AskingHook<MessageSending>
}
