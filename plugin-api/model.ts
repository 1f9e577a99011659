/**
 * Language models, in neutral words. A provider turns a neutral request into one stream of neutral parts; the agent loop,
 * the budgets and every dialect read those and know no vendor.
 */
import type { Context } from './context.ts'
import type { JsonObject, Json } from './json.ts'

/** A piece of a message. Pictures and files carry either a URL or base64 `data`. */
export type Part =
  /** `untrusted` names where a text came from that is nobody's order: the model is shown it as data, with a warning around it. */
  | { readonly type: 'text'; readonly text: string; readonly untrusted?: string }
  | { readonly type: 'image'; readonly url?: string; readonly data?: string; readonly mimeType?: string }
  | { readonly type: 'file'; readonly url?: string; readonly data?: string; readonly mimeType?: string; readonly name?: string }
  | { readonly type: 'toolCall'; readonly id: string; readonly name: string; readonly args: Json }
  | { readonly type: 'toolResult'; readonly id: string; readonly name: string; readonly result: Json; readonly isError?: boolean }

export type Role = 'system' | 'user' | 'assistant' | 'tool'

export interface Message {
  readonly role: Role
  readonly parts: readonly Part[]
}

/** A tool as the model is shown it. */
export interface OfferedTool {
  readonly name: string
  readonly description?: string
  readonly params: JsonObject
}

export type ToolChoice = 'auto' | 'none' | 'required' | { readonly name: string }

export interface Sampling {
  readonly temperature?: number
  readonly topP?: number
  readonly topK?: number
  readonly maxTokens?: number
  readonly stop?: readonly string[]
  readonly seed?: number
  readonly presencePenalty?: number
  readonly frequencyPenalty?: number
  readonly thinking?: 'low' | 'medium' | 'high'
  /** The answer must be JSON, of this schema where one is given. */
  readonly json?: { readonly name?: string; readonly schema?: JsonObject }
}

export interface ModelRequest {
  /** The provider's own name of the model, without the provider's id. */
  readonly model: string
  readonly messages: readonly Message[]
  readonly tools?: readonly OfferedTool[]
  readonly toolChoice?: ToolChoice
  readonly sampling?: Sampling
}

/** Tokens, as the provider counted them. */
export interface Usage {
  readonly promptTokens: number
  readonly completionTokens: number
  readonly totalTokens: number
}

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter'

/**
 * What a provider streams, in order: any number of the first three, then one `finish`. A failure is thrown as an
 * `RpcError`: `rate_limited` and `unavailable` with `retryable`, `invalid_request` where the request can never succeed.
 */
export type ModelPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'thinking'; readonly text: string }
  | { readonly type: 'toolCall'; readonly id: string; readonly name: string; readonly args: Json }
  | { readonly type: 'finish'; readonly reason: FinishReason; readonly usage: Usage }

/** A kind of provider: an API that several configured providers may speak. */
export interface ModelProvider {
  /** The name of the API, as `models.providers.<id>.api` gives it. */
  readonly name: string
  readonly description?: string
  /** Streams one answer. `settings` is the configured provider: base URL, key reference, headers. */
  readonly stream: (request: { readonly request: ModelRequest; readonly settings: JsonObject }, ctx: Context) => AsyncIterable<ModelPart>
}

export interface ModelRegistry {
  add(provider: ModelProvider): void
}
