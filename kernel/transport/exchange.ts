/** One HTTP request and its one reply, the same for every transport. */

/** A request without its body. */
export interface RequestHead {
  /** Upper case, one of the methods the gateway knows. */
  readonly method: string
  /** Percent-encoded as it came, without the query. Begins with `/`. */
  readonly path: string
  /** Without the question mark; empty where there is none. */
  readonly query: string
  /** Names in lower case. A name that came twice is joined with `, `, except those that may not (the transport refused them). */
  readonly headers: ReadonlyMap<string, string>
  /**
   * The peer's address, in its shortest text form (an IPv4 address inside IPv6 is given as IPv4). To be asked for before the
   * reply: afterwards it is known only where somebody had asked.
   */
  readonly remoteAddress: string
}

/** A reply whose body is sent piece by piece. */
export interface BodyWriter {
  /** Resolves when the reader can take more. Rejects with `cancelled` once the reader has gone. */
  write(chunk: string | Uint8Array): Promise<void>
  /** Ends the reply. Further calls do nothing. */
  end(): void
}

export interface Exchange extends RequestHead {
  /** Aborted when the client goes away before the reply is complete. */
  readonly signal: AbortSignal
  /** Whether a reply has been begun. */
  readonly replied: boolean
  /**
   * The body, piece by piece, read no faster than it is taken. Throws `payload_too_large` once more than `maxBytes` came
   * (at once where Content-Length says so), `cancelled` where the client went away. May be read once.
   */
  body(maxBytes: number): AsyncIterable<Uint8Array>
  /** A whole reply. Content-Length is set by the transport; a reply to HEAD sends none of the body. */
  reply(status: number, headers: Readonly<Record<string, string>>, body?: string | Uint8Array): void
  /** Begins a streamed reply. */
  stream(status: number, headers: Readonly<Record<string, string>>): BodyWriter
}
