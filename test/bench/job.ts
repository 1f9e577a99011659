/**
 * What the bench asks of its load client, and what it is answered: plain data, since the client is a process of its own.
 * Every job is bounded in time, and where it says so in count.
 */

interface Target {
  readonly port: number
  /** The server's process, whose processor time is counted while it is loaded. */
  readonly pid: number
  readonly token?: string
}

/** Calls one method on WebSockets, so many in flight on each. Its replies must all be of one length. */
export interface RpcJob extends Target {
  readonly kind: 'rpc'
  /** `system.ping` unless said. */
  readonly call?: { readonly method: string; readonly params: object }
  readonly sockets: number
  readonly inFlight: number
  readonly warmSeconds: number
  readonly seconds: number
  /** Ends after this many replies, if that comes first. */
  readonly calls?: number
}

/** Asks one path on kept connections, one request at a time on each. */
export interface HttpJob extends Target {
  readonly kind: 'http'
  readonly path: string
  /** Sent as JSON by POST; without one the path is got. */
  readonly body?: object
  readonly connections: number
  readonly warmSeconds: number
  readonly seconds: number
}

/** Asks for chat completions, so many at a time. */
export interface ChatJob extends Target {
  readonly kind: 'chat'
  readonly model: string
  readonly stream: boolean
  readonly concurrent: number
  /** The lanes begin one after the other over this time, since people do not ask in step. */
  readonly spreadMs: number
  readonly warmSeconds: number
  readonly seconds: number
}

/** Opens WebSockets and holds them, silent, until the client ends or holds others. */
export interface HoldJob extends Target {
  readonly kind: 'hold'
  readonly sockets: number
}

export type Job = RpcJob | HttpJob | ChatJob | HoldJob

/** What a job came to. Of the measured seconds only; what ran to warm up is not in it. */
export interface Load {
  readonly count: number
  /** Replies that were not what was asked for. */
  readonly failures: number
  /** One of them, as it came. */
  readonly failure?: string
  readonly seconds: number
  /** Share of one core that the client took. Above 0.9 the client is what limits. */
  readonly clientCpu: number
  /** Processor time of the server in seconds. */
  readonly serverCpu: number
  /** Cores that everybody else had meanwhile: other programs, and the system's own work. */
  readonly otherCores: number
  /** Milliseconds of each reply, where they were taken. */
  readonly latencies: readonly number[]
  /** Milliseconds to the first piece of each streamed reply. */
  readonly firsts: readonly number[]
}

/** Everything the children of the bench say to it. */
export type Said =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'done'; readonly load: Load }
  | { readonly kind: 'failed'; readonly message: string }
