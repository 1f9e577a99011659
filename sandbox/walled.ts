/**
 * One plugin behind the wall, seen from the gateway: entries go out under a number and are settled exactly once, by the
 * child's word or by its death. It keeps the child to the protocol and ends it when it strays; what the plugin's functions
 * mean is not known here.
 */
import {
  errorOf,
  isRpcError,
  refusalOf,
  RpcError,
  type Declared,
  type Json,
  type Refusal,
  type WalledEntry,
  type WalledPlugin,
  type WalledSource,
} from '@isopod/plugin-api'
import { Desk } from './desk.ts'
import { errorOfBug } from './failure.ts'
import { Inflow, STREAM_WINDOW } from './flow.ts'
import { misfitOf } from './from-child.ts'
import { Lifeline, type LifelineParts } from './lifeline.ts'
import type { Bug, FromChild, Host, Loaded } from './messages.ts'

/** Entries under way in one plugin. */
const MAX_ENTRIES = 1_024

export interface WalledParts extends Omit<LifelineParts, 'onMessage' | 'onBytes' | 'onEnd'> {
  readonly source: WalledSource
  /** URL of the plugin API's entry module. */
  readonly api: string
  /** How long importing the plugin and its `register` may take. */
  readonly loadMs: number
  /** How long its `stop` may take before the process is ended anyway. */
  readonly stopMs: number
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
  readonly #parts: WalledParts
  readonly #label: string
  readonly #line: Lifeline
  readonly #desk: Desk
  readonly #pending = new Map<number, Pending>()
  /** By entry. The one of `start` outlives its entry, since the plugin keeps that context until `stop`. */
  readonly #hosts = new Map<number, NonNullable<WalledEntry['host']>>()
  #declared: Declared | undefined
  #last = 0
  #onLoaded: ((error?: Error) => void) | undefined

  constructor(parts: WalledParts) {
    this.#parts = parts
    this.#label = `${parts.source.id} ${parts.source.version}`
    this.#line = new Lifeline({
      ...parts,
      onMessage: (message) => this.#heard(message),
      onBytes: (stream, bytes) => this.#item(stream, bytes),
      onEnd: (reason) => this.#end(reason),
    })
    this.#desk = new Desk((message) => this.#line.send(message))
  }

  get ended(): Promise<string> {
    return this.#line.ended
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
    const late = setTimeout(() => this.#line.kill(`it was not loaded within ${loadMs} ms`), loadMs)
    try {
      await new Promise<void>((resolve, reject) => {
        this.#onLoaded = (error) => (error ? reject(error) : resolve())
        this.#line.send({ type: 'load', source, api })
      })
    } catch (thrown) {
      await this.close()
      throw thrown
    } finally {
      clearTimeout(late)
    }
  }

  async enter(entry: WalledEntry): Promise<Json | undefined> {
    if (entry.target.kind !== 'stop') return this.#enter(entry)
    const { stopMs } = this.#parts
    const late = setTimeout(() => this.#line.kill(`its \`stop\` took longer than ${stopMs} ms`), stopMs)
    return this.#enter(entry).finally(() => clearTimeout(late))
  }

  #enter(entry: WalledEntry): Promise<Json | undefined> {
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
      credit: (count) => this.#line.send({ type: 'credit', stream: number, count }),
      leave: () => this.#line.send({ type: 'leave', stream: number }),
    })
    return inflow
  }

  async close(): Promise<void> {
    this.#line.kill('it was closed')
    await this.ended
  }

  // Out

  #open({ target, args, context, signal, host }: WalledEntry, settling: Settling): number {
    if (this.#line.reason !== undefined) throw this.#unavailable(this.#line.reason)
    if (this.#pending.size >= MAX_ENTRIES) {
      throw new RpcError('unavailable', `${this.#label} has ${MAX_ENTRIES} calls under way`, { retryable: true })
    }
    const entry = this.#last + 1
    this.#line.send({ type: 'enter', entry, target, args, ...(context && { context }), ...(settling.inflow && { credit: STREAM_WINDOW }) })
    this.#last = entry
    const abort = () => this.#line.send({ type: 'abort', entry, refusal: whyAborted(signal) })
    if (host) this.#hosts.set(entry, host)
    this.#pending.set(entry, { ...settling, target, forget: () => signal?.removeEventListener('abort', abort) })
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort, { once: true })
    return entry
  }

  // In

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
        return // the lifeline's own
    }
  }

  #loaded({ declared }: Loaded): void {
    if (this.#declared || !this.#onLoaded) return this.#line.stray('It declared itself twice')
    const misfit = misfitOf(declared as unknown as Parameters<typeof misfitOf>[0])
    if (misfit !== undefined) return this.#onLoaded(new Error(`\`register\` declared ${misfit}`))
    this.#declared = declared
    this.#line.watch() // until now the deadline of loading has watched over it
    this.#onLoaded()
  }

  #asked(message: Host): void {
    const { entry, op, name } = message
    if (entry > this.#last) return this.#line.stray('It asked on behalf of an entry that was never made')
    if (name === 'log' && op === undefined && !this.#parts.gate.admits()) return
    const host = this.#hosts.get(entry)
    if (host) {
      if (!this.#desk.serve(message, host)) this.#line.stray('It asked too much at once')
    } else if (op !== undefined) {
      this.#desk.refuse(op, new RpcError('cancelled', 'The call this context belonged to has ended'))
    }
  }

  #item(entry: number, item: Json | Uint8Array): void {
    const inflow = this.#pending.get(entry)?.inflow
    if (inflow && !inflow.push(item)) this.#line.stray('It streamed more than it had credit for')
  }

  #refused(entry: number, refusal: Refusal, bug: Bug | undefined): void {
    const { code, message, ...facts } = refusal
    const error = bug ? new RpcError(code, message, { ...facts, cause: errorOfBug(bug) }) : errorOf(refusal)
    this.#settle(entry, (pending) => pending.refused(error))
  }

  #settle(entry: number, settle: (pending: Pending) => void): void {
    const pending = this.#pending.get(entry)
    if (!pending) return this.#line.stray('It ended an entry that was not under way')
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

  #end(reason: string): void {
    this.#onLoaded?.(new Error(`${this.#label} ended before it was loaded: ${reason}`))
    for (const pending of this.#pending.values()) {
      pending.forget()
      pending.refused(this.#unavailable(reason))
    }
    this.#pending.clear()
    this.#hosts.clear()
    this.#desk.close()
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
