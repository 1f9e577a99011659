/**
 * The port to the wall. Behind it a plugin runs where it can reach nothing but what is passed here: JSON text, and frames
 * of bytes. Whoever implements it decides how high the wall is; the kernel turns what is declared here into the same
 * contributions a plugin in its own process makes, and no plugin can tell the difference.
 */
import type { Caller } from './caller.ts'
import type { ChannelDeclaration } from './channel.ts'
import type { DialectDeclaration } from './dialect.ts'
import type { Refusal } from './error.ts'
import type { Json, JsonObject } from './json.ts'
import type { MethodDeclaration } from './method.ts'
import type { RouteDeclaration } from './route.ts'
import type { ToolDeclaration } from './tool.ts'

/** What a plugin contributes, as data: everything but the functions, which stay behind the wall and are found by name. */
export interface Declared {
  readonly methods: readonly MethodDeclaration[]
  readonly routes: readonly (RouteDeclaration & { readonly decodes: boolean; readonly encodes: boolean })[]
  readonly dialects: readonly DialectDeclaration[]
  readonly tools: readonly ToolDeclaration[]
  readonly models: readonly { readonly name: string; readonly description?: string }[]
  readonly channels: readonly ChannelDeclaration[]
  readonly taps: readonly { readonly hook: string; readonly name: string; readonly before?: string; readonly deadlineMs?: number }[]
  readonly starts: boolean
  readonly stops: boolean
}

/** Which of the plugin's functions to run. Kind and name tell it apart; where it stood in `register` does not matter. */
export interface Target {
  readonly kind:
    | 'method' | 'tool' | 'model' | 'tap'
    | 'channel.send' | 'channel.status'
    | 'route.decode' | 'route.encode'
    | 'dialect.greet' | 'dialect.decode' | 'dialect.encode'
    | 'start' | 'stop'
  readonly name: string
}

/** One entry into the plugin. */
export interface Entry {
  readonly target: Target
  /** The function's arguments before its context, as JSON. */
  readonly args: readonly Json[]
  /** The data part of the context, for functions that take one. */
  readonly context?: { readonly caller: Caller; readonly config: JsonObject; readonly now: number; readonly runId?: string }
  /** Aborting it aborts the signal the plugin sees. */
  readonly signal?: AbortSignal
  /** Carries out what the plugin asks of its context while the entry lasts. Never throws: answers a refusal. */
  readonly host?: (op: string, args: readonly Json[], signal: AbortSignal) => Promise<HostAnswer>
}

/** What a context operation answers: a value, a stream of them, or a refusal. */
export type HostAnswer =
  | { readonly ok: true; readonly value?: Json | undefined; readonly stream?: AsyncIterable<Json> }
  | { readonly ok: false; readonly refusal: Refusal }

/** A plugin behind the wall. */
export interface WalledPlugin {
  readonly declared: Declared
  /** Runs a function to its one answer. Rejects with `RpcError`; with `unavailable` (retryable) where the process died. */
  enter(entry: Entry): Promise<Json | undefined>
  /** Runs a function that streams. */
  stream(entry: Entry): AsyncIterable<Json | Uint8Array>
  /** Resolves with the reason once the process has ended for good. */
  readonly ended: Promise<string>
  /** Ends the process. Open entries are refused `unavailable`. */
  close(): Promise<void>
}

/** What to load. */
export interface WalledSource {
  readonly id: string
  readonly version: string
  /** URL of the entry module. */
  readonly entry: string
}

export interface Sandbox {
  /** In one word, for the log and `plugin.list`: what is in force. */
  readonly level: string
  /** Starts a process, loads the plugin and runs its `register`. Rejects with what `register` threw, or did that it may not. */
  load(source: WalledSource, log: (level: 'info' | 'warn' | 'error', text: string) => void): Promise<WalledPlugin>
  close(): Promise<void>
}
