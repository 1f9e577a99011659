/**
 * A dialect: the spelling of methods, events and refusals on a WebSocket. Three pure functions over plain data; the
 * connection owns the state and passes it along. A dialect without a word for something has no entry for it, and a
 * decision about what happens is never its own: that is a method's.
 */
import type { GatewayEvent, Outcome } from './event.ts'
import type { Refusal } from './error.ts'
import type { Json, JsonObject } from './json.ts'

/** How a socket's first frame tells its dialect. All that is named must hold. */
export interface Opening {
  /** The frame has this property. */
  readonly has?: string
  /** The frame has none of these. */
  readonly lacks?: readonly string[]
  /** The frame's `type` is one of these. */
  readonly types?: readonly string[]
  /** The frame's `type` is none of these; a frame without one fits. */
  readonly otherThan?: readonly string[]
}

/** What the socket is told of itself when it opens, or when its credential has been accepted. */
export interface GreetingFacts {
  readonly clientId: string
  readonly gatewayVersion: string
  /** The nouns of the methods that are loaded. */
  readonly capabilities: readonly string[]
  /** Whether the socket has a caller already. */
  readonly authenticated: boolean
  readonly now: number
}

/** What a frame asks for. `id` is the dialect's own, any JSON, and comes back with the outcome. */
export type Wish =
  | { readonly do: 'call'; readonly id: Json; readonly method: string; readonly params: JsonObject }
  | { readonly do: 'auth'; readonly id: Json; readonly token?: string; readonly password?: string }
  | {
      readonly do: 'refuse'
      readonly id: Json
      readonly refusal: Refusal
      /** The socket is closed with 1008 once this has been said, and takes nothing more. */
      readonly final?: boolean
    }
  | { readonly do: 'nothing' }

/** What is to be spelled: how a wish ended, an accepted credential, or an event. */
export type Spoken =
  | { readonly kind: 'outcome'; readonly id: Json; readonly method: string; readonly outcome: Outcome }
  | { readonly kind: 'welcome'; readonly id: Json; readonly facts: GreetingFacts }
  | { readonly kind: 'event'; readonly event: GatewayEvent }

export interface Decoded {
  readonly state: Json
  readonly wish: Wish
}

export interface Encoded {
  readonly state: Json
  /** Each becomes one text frame, as JSON. */
  readonly frames: readonly JsonObject[]
}

export interface DialectDeclaration {
  readonly name: string
  /** Chosen by `Sec-WebSocket-Protocol`. */
  readonly subprotocols?: readonly string[]
  /** Chosen by the path of the upgrade. */
  readonly paths?: readonly string[]
  /** Chosen by the first frame, dialects in the order the config gives. */
  readonly openings?: readonly Opening[]
}

export interface Dialect extends DialectDeclaration {
  /** What the socket is told unasked, before its first frame; also the initial state. */
  readonly greet: (facts: GreetingFacts) => Encoded | Promise<Encoded>
  /** A frame is one parsed JSON object; what is no JSON object the connection has refused already. */
  readonly decode: (frame: JsonObject, state: Json) => Decoded | Promise<Decoded>
  readonly encode: (spoken: Spoken, state: Json, now: number) => Encoded | Promise<Encoded>
}

export interface DialectRegistry {
  add(dialect: Dialect): void
}
