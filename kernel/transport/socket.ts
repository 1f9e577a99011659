/** One open WebSocket, the same for every transport. */

export interface Socket {
  /** Unique in this process. */
  readonly id: number
  readonly remoteAddress: string
  /** What `upgrade` answered as its `data`. */
  readonly data: unknown
  /** Bytes accepted by `send` and not yet taken by the kernel's socket. */
  readonly buffered: number
  /** False where the socket is closed, or was closed just now because its reader is too far behind. */
  send(text: string): boolean
  /** Sends a close frame and closes. A reason is cut at 123 bytes (RFC 6455, 5.5.1). Idempotent. */
  close(code: number, reason: string): void
  /** Drops the connection without a word. */
  terminate(): void
}
