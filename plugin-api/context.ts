/**
 * What a handler is given beside its params: who asks, when to stop, and the only ways to act on the rest of the gateway.
 * Everything here works the same for a plugin in the kernel's process and for one behind the wall, so whatever passes
 * through is JSON or a stream of JSON, and whatever may have to travel is a promise.
 */
import type { Caller, Origin } from './caller.ts'
import type { ChannelReport, OutgoingMessage, SentMessage } from './channel.ts'
import type { AskingHooks, HearingHooks, Verdict } from './hooks.ts'
import type { Refusal } from './error.ts'
import type { Json, JsonObject } from './json.ts'
import type { Store } from './store.ts'

/** A line goes to the gateway's log under the plugin's name and version. Secrets in it are redacted. */
export interface Log {
  debug(message: string, facts?: object): void
  info(message: string, facts?: object): void
  warn(message: string, facts?: object): void
  error(message: string, facts?: object): void
}

/**
 * What a running gateway is. `port` is 0 before it listens. `startedAt` is in milliseconds since 1970, as the clock stood then;
 * `uptimeMs` is how long ago that was, whichever way the clock was set meanwhile.
 */
export interface GatewayFacts {
  readonly version: string
  readonly startedAt: number
  readonly uptimeMs: number
  readonly port: number
  readonly bind: string
  readonly auth: 'token' | 'password' | 'none'
  readonly transport: string
  readonly listening: boolean
  /** How late the event loop wakes, 99th percentile over the last seconds, in milliseconds. */
  readonly eventLoopDelayMs: number
  /** Why the gateway should get no traffic, in sentences; empty when all is well. */
  readonly troubles: readonly string[]
}

export interface CallOptions {
  /** Lowers where the call comes from, as when the agent's own wish is carried out. It can never be raised. */
  readonly origin?: Origin
  /**
   * `self`: for the plugin itself instead of whoever asked, with the plugin's own scopes and as `automation`. For a handler that has
   * checked a credential of its own, or whose caller is nobody (a channel's message, a webhook). Its client hears nothing of it.
   */
  readonly as?: 'self'
  /** On what the gateway is now, not on what it was when this call began: for a handler that has just changed it. */
  readonly latest?: boolean
  /** Stops the inner call early; the outer call's own signal always does. */
  readonly signal?: AbortSignal
  /**
   * Carried out even though this call's own signal is aborted: for the last writes of a
   * call that was cancelled. Has a deadline of five seconds instead.
   */
  readonly outliving?: boolean
}

export interface SpawnOptions extends Pick<CallOptions, 'origin' | 'as'> {
  /**
   * An event of the run: its id is answered once that has been told, instead of at once. A run that fails before it rejects. With
   * `chat.started` the user's words have been kept, so that nothing that was answered is lost.
   */
  readonly once?: string
  /** How long the run may take, in milliseconds, instead of its method's own deadline. */
  readonly deadlineMs?: number
  /**
   * An internal method of the plugin's own, called for the plugin once the run has ended, with a `RunEnding`: for what has to be
   * done with the answer when whoever asked has gone. It is not called where the gateway was killed meanwhile.
   */
  readonly afterwards?: string
}

/** What a follow-up is told of the run it follows. */
export type RunEnding = { readonly runId: string; readonly about: JsonObject } & (
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly refusal: Refusal }
)

/** A run as the kernel keeps it while its events can still be heard. */
export interface RunState {
  readonly id: string
  readonly open: boolean
  /** The number of the first event that is still kept; what came before it can no longer be heard. */
  readonly firstSeq: number
  /** The number of its last event; 0 where there was none yet. */
  readonly lastSeq: number
  /** What it was opened with. */
  readonly about: JsonObject
}

/**
 * Runs: calls whose events have numbers and a memory, that somebody else may follow or abort. A run belongs to the
 * credential that opened it; to every other caller without the scope `admin` it does not exist.
 */
export interface Runs {
  /**
   * Makes this call a run and answers its id. From here on `chat.abort` and its kin reach the call's `signal`, the run's
   * events are kept, and a lost socket no longer ends the call. The run ends when the call does.
   */
  open(about: JsonObject): Promise<string>
  /** Aborts the run's call. False where it had ended. `not_found` where there is none for this caller. */
  abort(runId: string): Promise<boolean>
  /** The run, or undefined where the kernel no longer keeps it or it is another's. */
  state(runId: string): Promise<RunState | undefined>
  /**
   * Lets this call's client hear the run's events after number `after`: those kept at once, those to come as they happen.
   * `not_found` where the kernel no longer keeps the run.
   */
  follow(runId: string, after: number): Promise<RunState>
}

export interface Context {
  readonly caller: Caller
  /** Aborted when the deadline passes, the caller cancels, the HTTP client goes, or the gateway drains. */
  readonly signal: AbortSignal
  /** The plugin's own config, checked against its schema; secrets are references. Frozen. */
  readonly config: JsonObject
  readonly log: Log
  /** The plugin's own corner of the store. */
  readonly store: Store
  /** The run this call is, once it has been opened. */
  readonly runId: string | undefined
  /** Milliseconds since 1970. */
  now(): number
  /** A fresh identifier, a UUID. */
  id(): string
  /** Calls a method on the generation this call began on, for the same caller. Rejects with the method's refusal. */
  call(method: string, params?: JsonObject, options?: CallOptions): Promise<Json>
  /** Calls a method that streams. The stream throws the method's refusal; leaving it early cancels the call. */
  stream(method: string, params?: JsonObject, options?: CallOptions): AsyncIterable<Json>
  /** Starts a call as a run of its own and answers the run's id; this call's client hears its events. */
  spawn(method: string, params: JsonObject, about: JsonObject, options?: SpawnOptions): Promise<string>
  /**
   * Tells an event. With the `runId` of an open run in its data it belongs to that run; else everyone with the scope
   * `read` who subscribed hears it. `join` names a text field by which waiting events may be joined.
   */
  emit(name: string, data: JsonObject, options?: { readonly join?: string }): void
  readonly runs: Runs
  /** Asks everyone who tapped an `-ing` hook. Only for a handler of the hook's own noun (`tool.*` for `toolCalling`). */
  ask<Name extends keyof AskingHooks>(hook: Name, subject: AskingHooks[Name]): Promise<Verdict<AskingHooks[Name]>>
  /** Tells everyone who tapped an `-ed` hook. Only for a handler of the hook's own noun. */
  tell<Name extends keyof HearingHooks>(hook: Name, fact: HearingHooks[Name]): void
  /**
   * What all plugins contributed of a kind, as data, each with the id of its `plugin`.
   * Only for a handler of the kind's own noun (`tool.*` for `tools`).
   */
  catalog(kind: 'tools' | 'models' | 'channels'): Promise<readonly JsonObject[]>
  /** Runs a contributed tool. Its params are checked against its schema. Only for a handler of `tool.*`. */
  useTool(name: string, args: JsonObject, options?: CallOptions): Promise<Json>
  /** Streams from a contributed model provider. Only for a handler of `model.*`. */
  useModel(name: string, request: JsonObject, options?: CallOptions): AsyncIterable<Json>
  /** Sends a message through a contributed channel. Only for a handler of `channel.*`. */
  sendThrough(name: string, message: OutgoingMessage, options?: CallOptions): Promise<SentMessage>
  /** How a contributed channel is. Only for a handler of `channel.*`. */
  channelReport(name: string, options?: CallOptions): Promise<ChannelReport>
  /** What the gateway is now. In the gateway's own process it is there at once; across the wall it takes a moment: await it. */
  gateway(): GatewayFacts | Promise<GatewayFacts>
  /** The text behind a secret of the config. Refused `forbidden` behind the wall, where secrets never go. */
  reveal(reference: Json): Promise<string>
}

/** What `start` is given: a context of the plugin's own, alive until `stop`. Its caller is the plugin. */
export type StartContext = Omit<Context, 'runs' | 'ask' | 'tell' | 'runId'>
