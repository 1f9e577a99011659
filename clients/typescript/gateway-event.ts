/** Events as the socket tells them: a name, data, and a number where they belong to a run. */
import type { JsonObject } from './json.ts'
import type { Usage } from './agent.ts'

/** A call of one of this client's own tools, which ends a run. */
export interface ToolWish {
  readonly id: string
  readonly name: string
  readonly args: unknown
}

interface Told<Type extends string, Data> {
  readonly type: Type
  readonly data: Data
  /** Its number within its run, from 1; numbers only rise, and joined events skip some. */
  readonly seq: number
}

interface OfRun {
  readonly runId: string
  readonly sessionKey: string
}

/** An event of a run. `chat.done` is the last; a run that fails throws instead. */
export type GatewayEvent =
  | Told<'chat.started', OfRun & { readonly model: string }>
  | Told<'chat.delta' | 'chat.thinking', OfRun & { readonly delta: string }>
  | Told<'tool.call', { readonly runId: string; readonly tool: string; readonly params: unknown; readonly callId?: string; readonly client?: boolean }>
  | Told<'tool.result', { readonly runId: string; readonly tool: string; readonly result: unknown; readonly callId?: string; readonly isError?: boolean }>
  /** This client's own: the gateway has let go of so many events before this one was heard. */
  | Told<'chat.gap', OfRun & { readonly missed: number }>
  | Told<'chat.done', OfRun & { readonly usage: Usage; readonly finishReason?: string }>

/** Any event's frame, before anybody has looked what it is. */
export interface EventFrame {
  readonly type: string
  readonly data: JsonObject
  readonly seq: number | undefined
}
