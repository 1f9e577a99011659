/**
 * A route: a row that leads from a URL to a method, with the fields renamed on the way. It holds no behaviour. A row may bring a pair
 * of pure functions, of the same shape as a dialect's, for what a rename cannot say; the state between them is plain data.
 */
import type { GatewayEvent, Outcome } from './event.ts'
import type { Refusal } from './error.ts'
import type { Json, JsonObject } from './json.ts'
import type { Schema } from './schema.ts'

export type Verb = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** A request as a row sees it. The body has been read, checked and parsed; the credential is not in it. */
export interface RouteRequest {
  readonly path: string
  /** The `{name}` segments of the row's path, decoded. */
  readonly segments: Readonly<Record<string, string>>
  /** The last of each name; a credential is left out. */
  readonly query: Readonly<Record<string, string>>
  /** Names in lower case. The gateway's credentials and cookies are left out, except where the row checks its `own`. */
  readonly headers: Readonly<Record<string, string>>
  /** The parsed JSON body, or the text of it where the row asked for text; undefined where there was none. */
  readonly body: Json | undefined
}

/** What a row makes of a request. */
export type RouteDecoded =
  | {
      readonly params: JsonObject
      /** The method to call, where the row's `call` is `*`. */
      readonly method?: string
      readonly state?: Json
      readonly stream?: boolean
      /**
       * How long the client waits for the end of a run, in milliseconds; `gateway.limits.timeoutSeconds` unless said, 0 for ever. After
       * that it is answered `timeout`, with the run's id and what it is about as details, and the run goes on. A call that is no run is
       * not cut short by it.
       */
      readonly patienceMs?: number
    }
  | { readonly refuse: Refusal }

/** One event of a server-sent stream. `data` that is not text is sent as JSON. */
export interface StreamFrame {
  readonly event?: string
  readonly id?: string
  readonly data: Json
}

/**
 * What a row makes of an outcome or, on a stream, of an event. A stream ends after the outcome's frames. Where the call is refused
 * before the first frame there is no stream yet: frames are passed over then, and the row's reply or the family's is sent.
 */
export interface RouteEncoded {
  readonly state?: Json
  readonly frames?: readonly StreamFrame[]
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Json
}

export interface RouteDeclaration {
  readonly verb: Verb
  /** Begins with `/`; `{name}` takes one segment, or, as the last, the rest with `{name+}`. */
  readonly path: string
  /**
   * The method it calls; one of the plugin's own may be internal. `*` calls the method that `decode` names, for a URL which
   * carries calls by name; only a trusted plugin may.
   */
  readonly call: string
  /**
   * `token` (the default): the gateway's credential. `public`: none. `own`: the method checks a credential of its own, which
   * reaches `decode` in the headers and the query, and refuses `unauthorized` where it is wrong; the gateway counts that as a failure.
   */
  readonly auth?: 'token' | 'public' | 'own'
  /**
   * `json` (the default): parsed. `text`: as it came, whatever its type, for
   * signatures over the very bytes. It must be UTF-8.
   */
  readonly body?: 'json' | 'text'
  /** A text field of the plugin's config: the path that stands in for the first segment of this row's. */
  readonly mount?: string
  /** A number in the plugin's config: the largest body of this row, in bytes, where that is less than the gateway's own bound. */
  readonly maxBody?: string
  /** What the generated description of the API says of the row. */
  readonly describe?: RouteDescription
}

/**
 * For readers and generators of clients; nothing is checked against it at
 * run time. What is left out is taken from the method.
 */
export interface RouteDescription {
  readonly summary?: string
  /** The body of the request, where `decode` reads another than the method's params. */
  readonly body?: Schema
  /** An object whose properties are the query's. */
  readonly query?: Schema
  /** The body of a success, where `encode` spells another than the method's result. */
  readonly reply?: Schema
  /** The status of a success; 200 unless said. */
  readonly status?: number
  /** The bodies of other answers that `encode` spells itself, by their status. */
  readonly otherReplies?: Readonly<Record<number, Schema>>
  /** Whether the row can answer a server-sent stream, always or where the client accepts one. */
  readonly streams?: 'always' | 'accepted'
}

export interface Route extends RouteDeclaration {
  /** Without it, params are the query, the body's fields and the path's segments, the later winning. */
  readonly decode?: (request: RouteRequest) => RouteDecoded | Promise<RouteDecoded>
  /** Without it, the body is the result as it is; a refusal is spelled by the URL's family. */
  readonly encode?: (what: RouteHappening, state: Json, now: number) => RouteEncoded | undefined | Promise<RouteEncoded | undefined>
}

export type RouteHappening =
  | { readonly kind: 'event'; readonly event: GatewayEvent }
  | { readonly kind: 'outcome'; readonly outcome: Outcome }

export interface RouteRegistry {
  add(route: Route): void
}
