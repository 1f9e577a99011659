/**
 * What an answer is made of, whoever has read it: a provider package, or a reader of our own. It is the packages' vocabulary,
 * cut down to what anybody here looks at, so that both kinds of answer go the same way from here on. Types only.
 */
import type { SdkPart } from './sdk.ts'

type Known =
  | { readonly type: 'text-delta' | 'reasoning-delta'; readonly delta: string }
  /** A call grows. Its arguments are told again, whole, when it is. */
  | { readonly type: 'tool-input-start' }
  | { readonly type: 'tool-input-delta'; readonly delta: string }
  | { readonly type: 'tool-call'; readonly toolCallId: string; readonly toolName: string; readonly input: string }
  | Finish
  /** What the provider, or the package, says went wrong. */
  | { readonly type: 'error'; readonly error: unknown }

export interface Finish {
  readonly type: 'finish'
  /** `raw` is the provider's own word; undefined where it gave none. */
  readonly finishReason: { readonly unified: Unified; readonly raw: string | undefined }
  readonly usage: Counted
}

export type Unified = Extract<SdkPart, { type: 'finish' }>['finishReason']['unified']

/** Tokens as the provider counted them, as far as it did. */
export interface Counted {
  readonly inputTokens: { readonly total: number | undefined }
  readonly outputTokens: { readonly total: number | undefined }
}

/** `response-metadata` is the sign that the first event made sense. */
export type Piece = Known | { readonly type: Exclude<SdkPart['type'], Known['type']> }
