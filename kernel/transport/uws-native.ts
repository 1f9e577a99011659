/**
 * The part of uWebSockets that is used here, as types. The library comes from one of two packages (the official one,
 * which an owner installs from its own repository, and the build of it on npm), whose own types differ in what they
 * forget; this is what both do.
 */

/** Native: touching it after its request was answered or aborted throws. */
export interface NativeResponse {
  pause(): void
  resume(): void
  writeStatus(status: string): NativeResponse
  writeHeader(name: string, value: string): NativeResponse
  /** False where backpressure built up. */
  write(chunk: string | Uint8Array): boolean
  end(body?: string | Uint8Array, closeConnection?: boolean): NativeResponse
  /** Takes more, but a length it is told counts as owed, and an `undefined` is read as a number. */
  endWithoutBody(): NativeResponse
  onWritable(handler: (offset: number) => boolean): NativeResponse
  onAborted(handler: () => void): NativeResponse
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): NativeResponse
  close(): NativeResponse
  cork(callback: () => void): NativeResponse
  getRemoteAddress(): ArrayBuffer
  upgrade(userData: object, key: string, protocol: string, extensions: string, context: unknown): void
}

/** Native, and lives on the stack: dead once the handler has returned. */
export interface NativeRequest {
  getMethod(): string
  getUrl(): string
  /** Nothing where there is no question mark. */
  getQuery(): string | undefined
  forEach(callback: (name: string, value: string) => void): void
}

/** Native: touching it after its close handler was called throws. */
export interface NativeSocket<UserData> {
  /** 1 where it went out whole, 0 where some of it waits, 2 where it was dropped. */
  send(message: string, isBinary?: boolean): number
  getBufferedAmount(): number
  end(code: number, reason: string): void
  close(): void
  getUserData(): UserData
}

export interface NativeSocketBehavior<UserData> {
  readonly maxPayloadLength: number
  readonly maxBackpressure: number
  readonly idleTimeout: number
  readonly sendPingsAutomatically: boolean
  readonly compression: number
  upgrade(response: NativeResponse, request: NativeRequest, context: unknown): void
  open(socket: NativeSocket<UserData>): void
  message(socket: NativeSocket<UserData>, message: ArrayBuffer, isBinary: boolean): void
  drain(socket: NativeSocket<UserData>): void
  close(socket: NativeSocket<UserData>, code: number, reason: ArrayBuffer): void
}

export interface NativeApp {
  any(pattern: string, handler: (response: NativeResponse, request: NativeRequest) => void): NativeApp
  ws<UserData>(pattern: string, behavior: NativeSocketBehavior<UserData>): NativeApp
  listen(host: string, port: number, options: number, callback: (listening: unknown) => void): NativeApp
  close(): NativeApp
}

export interface Uws {
  App(): NativeApp
  SSLApp(options: { readonly key_file_name: string; readonly cert_file_name: string }): NativeApp
  readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number
  readonly DISABLED: number
  us_listen_socket_close(listening: unknown): void
  us_socket_local_port(listening: unknown): number
  /** Undocumented. `silent` keeps the library's name out of the replies. */
  readonly _cfg?: (key: string) => void
}
