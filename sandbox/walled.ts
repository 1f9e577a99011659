/**
 * One plugin behind the wall, seen from the gateway: entries go out under a number and are settled exactly once, by the
 * child's word or by its death. It keeps the child to the protocol and ends it when it strays; what the plugin's functions
 * mean is not known here.
 */
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { errorOf, isRpcError, refusalOf, RpcError, type Declared, type Json, type Refusal, type WalledEntry, type WalledPlugin, type WalledSource } from '@isopod/plugin-api'
import { Channel } from './channel.ts'
import { Desk } from './desk.ts'
import { errorOfBug } from './failure.ts'
import { Inflow, STREAM_WINDOW } from './flow.ts'
import { MAX_FRAME_BYTES } from './frames.ts'
import { fromChild, misfitOf } from './from-child.ts'
import { Heartbeat } from './heartbeat.ts'
import type { LogGate } from './log-gate.ts'
import type { Bug, FromChild, Host, Loaded, ToChild } from './messages.ts'

/** What may lie unread in the pipe to a child: two of the largest frames. One that reads less is stuck. */
const UNREAD_BYTES = 2 * MAX_FRAME_BYTES
/** Entries under way in one plugin. */
const MAX_ENTRIES = 1_024

export interface WalledParts {
  readonly source: WalledSource
  readonly api: string
  readonly child: ChildProcessWithoutNullStreams
  readonly gate: LogGate
  readonly loadMs: number
  readonly heartbeatMs: number
  readonly heartbeatMisses: number
}

interface Pending {
  readonly target: WalledEntry['target']
  readonly answered: (value: Json | undefined) => void
  readonly refused: (error: RpcError) => void
  readonly inflow?: Inflow<Json | Uint8Array>
  readonly forget: () => void
}

type Settling = Omit<Pending, 'target' | 'forget'>

export class Walled implements WalledPlugin {
  readonly ended: Promise<string>
  readonly #parts: WalledParts
  readonly #label: string
  readonly #channel: Channel<ToChild, FromChild>
  readonly #desk: Desk
  readonly #heartbeat: Heartbeat
  readonly #pending = new Map<number, Pending>()
  /** By entry. The one of `start` outlives its entry, since the plugin keeps that context until `stop`. */
  readonly #hosts = new Map<number, NonNullable<WalledEntry['host']>>()
  #declared: Declared | undefined
  #last = 0
  /** Why the process ends, once that is decided. From then on nothing it says counts. */
  #reason: string | undefined
  #over = false
  #onLoaded: ((error?: Error) => void) | undefined

  constructor(parts: WalledParts) {
    const { child, source, gate } = parts
    this.#parts = parts
    this.#label = `${source.id} ${source.version}`
    this.#channel = new Channel<ToChild, FromChild>({
      write: (frame) => this.#write(frame),
      read: fromChild,
      onMessage: (message) => this.#reason === undefined && this.#heard(message),
      onBytes: (stream, bytes) => this.#reason === undefined && this.#item(stream, bytes),
    })
    this.#desk = new Desk((message) => this.#send(message))
    this.#heartbeat = new Heartbeat({
      everyMs: parts.heartbeatMs,
      misses: parts.heartbeatMisses,
      ask: (beat) => this.#send({ type: 'ping', beat }),
      onSilence: (silentMs) => this.#kill(`it did not answer for ${silentMs} ms`),
      onBeat: () => gate.beat(),
    })
    child.stdout.on('data', (chunk: Uint8Array) => this.#receive(chunk))
    child.stderr.on('data', (chunk: Uint8Array) => gate.standardError(chunk))
    child.stdin.on('error', () => {}) // the child has gone; its end is told by `close`
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => this.#end(`it could not be started: ${error.message}`, resolve))
      child.once('close', (code, signal) => this.#end(this.#reason ?? this.#died(code, signal), resolve))
    })
  }

  get declared(): Declared {
    if (!this.#declared) throw new Error(`${this.#label} has not been loaded`)
    return this.#declared
  }

  /** The child's process id, for whoever meters it; undefined where it could not be started. */
  get pid(): number | undefined {
    return this.#parts.child.pid
  }

  /**
   * Has the child import the plugin and run its `register`.
   * @throws Error what either threw, or that the process ended or took too long. The process is ended then.
   */
  async load(): Promise<void> {
    const { source, api, loadMs } = this.#parts
    const late = setTimeout(() => this.#kill(`it was not loaded within ${loadMs} ms`), loadMs)
    try {
      await new Promise<void>((resolve, reject) => {
        this.#onLoaded = (error) => (error ? reject(error) : resolve())
        this.#send({ type: 'load', source, api })
      })
    } catch (thrown) {
      await this.close()
      throw thrown
    } finally {
      clearTimeout(late)
    }
  }

  enter(entry: WalledEntry): Promise<Json | undefined> {
    return new Promise((answered, refused) => {
      this.#open(entry, { answered, refused })
    })
  }

  stream(entry: WalledEntry): AsyncIterable<Json | Uint8Array> {
    let number = 0
    const inflow: Inflow<Json | Uint8Array> = new Inflow<Json | Uint8Array>({
      window: STREAM_WINDOW,
      open: () => {
        number = this.#open(entry, { answered: () => inflow.end(), refused: (thrown) => inflow.end({ thrown }), inflow })
      },
      credit: (count) => this.#send({ type: 'credit', stream: number, count }),
      leave: () => this.#send({ type: 'leave', stream: number }),
    })
    return inflow
  }

  async close(): Promise<void> {
    this.#kill('it was closed')
    await this.ended
  }

  // Out

  #open({ target, args, context, signal, host }: WalledEntry, settling: Settling): number {
    if (this.#reason !== undefined) throw this.#unavailable(this.#reason)
    if (this.#pending.size >= MAX_ENTRIES) throw new RpcError('unavailable', `${this.#label} has ${MAX_ENTRIES} calls under way`, { retryable: true })
    const entry = this.#last + 1
    this.#send({ type: 'enter', entry, target, args, ...(context && { context }), ...(settling.inflow && { credit: STREAM_WINDOW }) })
    this.#last = entry
    const abort = () => this.#send({ type: 'abort', entry, refusal: whyAborted(signal) })
    if (host) this.#hosts.set(entry, host)
    this.#pending.set(entry, { ...settling, target, forget: () => signal?.removeEventListener('abort', abort) })
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort, { once: true })
    return entry
  }

  #send(message: ToChild): void {
    if (this.#reason === undefined) this.#channel.send(message)
  }

  #write(frame: Uint8Array): void {
    const { stdin } = this.#parts.child
    // What is sent in one turn goes out in one write.
    if (stdin.writableCorked === 0) {
      stdin.cork()
      process.nextTick(() => stdin.uncork())
    }
    stdin.write(frame)
    if (stdin.writableLength > UNREAD_BYTES) this.#kill('it does not read what it is sent')
  }

  // In

  #receive(chunk: Uint8Array): void {
    if (this.#reason !== undefined) return
    try {
      this.#channel.receive(chunk)
    } catch (thrown) {
      this.#stray(thrown instanceof Error ? thrown.message : String(thrown))
    }
  }

  #heard(message: FromChild): void {
    switch (message.type) {
      case 'declared':
        return this.#loaded(message)
      case 'unloadable':
        return this.#onLoaded?.(errorOfBug(message.bug))
      case 'result':
        return this.#settle(message.entry, (pending) => pending.answered(message.value))
      case 'refusal':
        return this.#refused(message.entry, message.refusal, message.bug)
      case 'item':
        return this.#item(message.stream, message.value)
      case 'end':
        if (message.refusal) return this.#refused(message.stream, message.refusal, message.bug)
        return this.#settle(message.stream, (pending) => pending.answered(undefined))
      case 'host':
        return this.#asked(message)
      case 'abandon':
        return this.#desk.abandon(message.op)
      case 'credit':
        return this.#desk.grant(message.stream, message.count)
      case 'leave':
        return this.#desk.leave(message.stream)
      case 'log':
        return this.#parts.gate.line(message.level, message.text)
      case 'pong':
        if (!this.#heartbeat.heard(message.beat)) this.#stray('It answered a heartbeat that was not asked')
    }
  }

  #loaded({ declared }: Loaded): void {
    if (this.#declared || !this.#onLoaded) return this.#stray('It declared itself twice')
    const misfit = misfitOf(declared as unknown as Parameters<typeof misfitOf>[0])
    if (misfit !== undefined) return this.#onLoaded(new Error(`\`register\` declared ${misfit}`))
    this.#declared = declared
    this.#heartbeat.start() // until now the deadline of loading has watched over it
    this.#onLoaded()
  }

  #asked(message: Host): void {
    const { entry, op, name } = message
    if (entry > this.#last) return this.#stray('It asked on behalf of an entry that was never made')
    if (name === 'log' && op === undefined && !this.#parts.gate.admits()) return
    const host = this.#hosts.get(entry)
    if (host) {
      if (!this.#desk.serve(message, host)) this.#stray('It asked too much at once')
    } else if (op !== undefined) {
      this.#desk.refuse(op, new RpcError('cancelled', 'The call this context belonged to has ended'))
    }
  }

  #item(entry: number, item: Json | Uint8Array): void {
    const inflow = this.#pending.get(entry)?.inflow
    if (inflow && !inflow.push(item)) this.#stray('It streamed more than it had credit for')
  }

  #refused(entry: number, refusal: Refusal, bug: Bug | undefined): void {
    const { code, message, ...facts } = refusal
    const error = bug ? new RpcError(code, message, { ...facts, cause: errorOfBug(bug) }) : errorOf(refusal)
    this.#settle(entry, (pending) => pending.refused(error))
  }

  #settle(entry: number, settle: (pending: Pending) => void): void {
    const pending = this.#pending.get(entry)
    if (!pending) return this.#stray('It ended an entry that was not under way')
    this.#pending.delete(entry)
    pending.forget()
    if (pending.target.kind === 'stop') this.#hosts.clear()
    if (pending.target.kind !== 'start') {
      this.#hosts.delete(entry)
      this.#desk.release(entry)
    }
    settle(pending)
  }

  // The end

  #stray(what: string): void {
    this.#kill(`it does not keep to the protocol: ${what}`)
  }

  #kill(reason: string): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#heartbeat.stop()
    this.#parts.child.kill('SIGKILL')
  }

  #died(code: number | null, signal: NodeJS.Signals | null): string {
    if (/heap out of memory|Allocation failed/.test(this.#parts.gate.errorTail)) return 'it ran out of memory'
    return signal ? `it was killed by ${signal}` : `it exited with code ${code}`
  }

  #end(reason: string, resolve: (reason: string) => void): void {
    if (this.#over) return
    this.#over = true
    this.#reason = reason
    this.#heartbeat.stop()
    this.#onLoaded?.(new Error(`${this.#label} ended before it was loaded: ${reason}`))
    for (const pending of this.#pending.values()) {
      pending.forget()
      pending.refused(this.#unavailable(reason))
    }
    this.#pending.clear()
    this.#hosts.clear()
    this.#desk.close()
    resolve(reason)
  }

  #unavailable(reason: string): RpcError {
    return new RpcError('unavailable', `${this.#label} is not running: ${reason}`, { retryable: true })
  }
}

/** The refusal an entry was aborted with, as data. */
function whyAborted(signal: AbortSignal | undefined): Refusal {
  const reason: unknown = signal?.reason
  return isRpcError(reason) ? refusalOf(reason) : { code: 'cancelled', message: 'The call was cancelled' }
}
