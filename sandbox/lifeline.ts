/**
 * A running child and the pipe to it, as long as it lives: what is said either way, the heartbeat, and its end, which comes
 * once and has one reason. It ends a child that strays from the protocol, and does not know what the messages mean.
 */
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { Channel } from './channel.ts'
import { MAX_FRAME_BYTES } from './frames.ts'
import { fromChild } from './from-child.ts'
import { Heartbeat } from './heartbeat.ts'
import type { LogGate } from './log-gate.ts'
import type { FromChild, ToChild } from './messages.ts'

/** What may lie unread in the pipe to a child: two of the largest frames. One that reads less is stuck. */
const UNREAD_BYTES = 2 * MAX_FRAME_BYTES

export interface LifelineParts {
  readonly child: ChildProcessWithoutNullStreams
  readonly gate: LogGate
  readonly heartbeatMs: number
  readonly heartbeatMisses: number
  readonly onMessage: (message: FromChild) => void
  readonly onBytes: (stream: number, bytes: Uint8Array) => void
  /** Called once, when the process has ended and everything it said before has been heard. */
  readonly onEnd: (reason: string) => void
}

export class Lifeline {
  /** Resolves with the reason, after `onEnd`. */
  readonly ended: Promise<string>
  readonly #parts: LifelineParts
  readonly #channel: Channel<ToChild, FromChild>
  readonly #heartbeat: Heartbeat
  #reason: string | undefined

  constructor(parts: LifelineParts) {
    const { child, gate } = parts
    this.#parts = parts
    this.#channel = new Channel<ToChild, FromChild>({
      write: (frame) => this.#write(frame),
      read: fromChild,
      onMessage: (message) => this.#reason === undefined && this.#heard(message),
      onBytes: (stream, bytes) => this.#reason === undefined && parts.onBytes(stream, bytes),
    })
    this.#heartbeat = new Heartbeat({
      everyMs: parts.heartbeatMs,
      misses: parts.heartbeatMisses,
      ask: (beat) => this.send({ type: 'ping', beat }),
      onSilence: (silentMs) => this.kill(`it did not answer for ${silentMs} ms`),
      onBeat: () => gate.beat(),
    })
    child.stdout.on('data', (chunk: Uint8Array) => this.#receive(chunk))
    child.stderr.on('data', (chunk: Uint8Array) => gate.standardError(chunk))
    child.stdin.on('error', () => {}) // the child has gone; its end is told by `close`
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(`it could not be started: ${error.message}`))
      child.once('close', (code, signal) => resolve(this.#reason ?? this.#died(code, signal)))
    }).then((reason) => this.#end(reason as string))
  }

  /** Why the process ends, once that is decided. From then on nothing it says counts and nothing is sent to it. */
  get reason(): string | undefined {
    return this.#reason
  }

  /** From here on a child that does not answer is ended. */
  watch(): void {
    if (this.#reason === undefined) this.#heartbeat.start()
  }

  /** @throws RpcError `payload_too_large` */
  send(message: ToChild): void {
    if (this.#reason === undefined) this.#channel.send(message)
  }

  /** Ends a child that does not keep to the protocol: nothing it says can be believed any more. */
  stray(what: string): void {
    this.kill(`it does not keep to the protocol: ${what}`)
  }

  kill(reason: string): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#heartbeat.stop()
    this.#parts.child.kill('SIGKILL')
  }

  #heard(message: FromChild): void {
    if (message.type !== 'pong') return this.#parts.onMessage(message)
    if (!this.#heartbeat.heard(message.beat)) this.stray('It answered a heartbeat that was not asked')
  }

  #receive(chunk: Uint8Array): void {
    if (this.#reason !== undefined) return
    try {
      this.#channel.receive(chunk)
    } catch (thrown) {
      this.stray(thrown instanceof Error ? thrown.message : String(thrown))
    }
  }

  #write(frame: Uint8Array): void {
    const { stdin } = this.#parts.child
    // What is sent in one turn goes out in one write.
    if (stdin.writableCorked === 0) {
      stdin.cork()
      process.nextTick(() => stdin.uncork())
    }
    stdin.write(frame)
    if (stdin.writableLength > UNREAD_BYTES) this.kill('it does not read what it is sent')
  }

  #died(code: number | null, signal: NodeJS.Signals | null): string {
    if (/heap out of memory|Allocation failed/.test(this.#parts.gate.errorTail)) return 'it ran out of memory'
    return signal ? `it was killed by ${signal}` : `it exited with code ${code}`
  }

  #end(reason: string): string {
    this.#reason = reason
    this.#heartbeat.stop()
    this.#parts.onEnd(reason)
    return reason
  }
}
