/**
 * The port between the gateway and a server library. Two libraries stand behind it, uWebSockets.js and `node:http` with
 * `ws`; nothing above this file knows which. The port speaks of requests, replies and sockets only: it knows no
 * credential, no route, no JSON.
 */
import type { Socket } from './socket.ts'
import type { Exchange, RequestHead } from './exchange.ts'

export interface TransportOptions {
  /** Addresses to bind, each with the same port. Port 0 takes a free one, the same for every address. */
  readonly hosts: readonly string[]
  readonly port: number
  /** A longer frame closes its socket with 1009. */
  readonly maxFrameBytes: number
  /** A socket whose reader is further behind than this is closed with 1013. */
  readonly maxBackpressureBytes: number
  /** No request holds a connection without an answer, and no socket stays silent (pings unanswered), longer than this. */
  readonly idleTimeoutSeconds: number
  readonly tls?: { readonly certFile: string; readonly keyFile: string }
}

/** What the gateway does with a wish to open a socket. */
export type UpgradeDecision =
  | { readonly accept: true; readonly subprotocol?: string; readonly data: unknown }
  | { readonly accept: false; readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }

/** What the gateway gives the transport. None of these throws. */
export interface TransportHandlers {
  /** A whole, well-formed request head has come. The body is read through the exchange. Must end in exactly one reply. */
  request(exchange: Exchange): void
  upgrade(head: RequestHead): UpgradeDecision | Promise<UpgradeDecision>
  open(socket: Socket): void
  /** A text frame, whole and valid UTF-8. A binary frame is told by `binary` and its bytes are not handed on. */
  message(socket: Socket, text: string, binary: boolean): void
  /** The reader has caught up: what waited may be sent. */
  drain(socket: Socket): void
  close(socket: Socket, code: number, reason: string): void
  /** A request the transport itself refused as malformed, after it answered. For the log and the failure counters. */
  malformed?(reason: string, remoteAddress: string): void
}

export interface Transport {
  readonly name: 'uws' | 'ws'
  /** Binds every address. Rejects with a sentence that names the address and, where it is known, who holds it. */
  listen(): Promise<{ readonly port: number; readonly hosts: readonly string[] }>
  /** Accepts nothing new; what is open stays open. */
  stopListening(): void
  /** Ends everything at once. */
  close(): Promise<void>
}

export type TransportFactory = (options: TransportOptions, handlers: TransportHandlers) => Transport
