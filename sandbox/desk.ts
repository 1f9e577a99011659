/**
 * The gateway's side of what walled plugins ask of their contexts: carries each op out through the entry's `host` and sends
 * the answer back, streams no faster than they are read. What an op means is the host's business.
 */
import { RpcError, type HostAnswer, type Json, type WalledEntry } from '@isopod/plugin-api'
import { failureOf } from './failure.ts'
import { Outflow } from './flow.ts'
import type { Host, ToChild } from './messages.ts'

/** Ops under way at once. The child keeps to a quarter of it by itself; one that does not is no child of ours. */
const MAX_UNDER_WAY = 1_024

interface Op {
  readonly entry: number
  readonly streams: boolean
  readonly stop: AbortController
  outflow?: Outflow<Json>
}

export class Desk {
  readonly #send: (message: ToChild) => void
  readonly #ops = new Map<number, Op>()

  constructor(send: (message: ToChild) => void) {
    this.#send = send
  }

  /**
   * Carries an op out. `host` is begun before this returns, so that what is asked in order happens in order.
   * @returns false where the child does not keep to the protocol.
   */
  serve(message: Host, host: NonNullable<WalledEntry['host']>): boolean {
    const { entry, op, credit } = message
    if (op !== undefined && (this.#ops.has(op) || this.#ops.size >= MAX_UNDER_WAY)) return false
    const under: Op = { entry, streams: credit !== undefined, stop: new AbortController() }
    if (op !== undefined) this.#ops.set(op, under)
    void this.#carryOut(message, host, under)
    return true
  }

  refuse(op: number, error: RpcError): void {
    this.#ops.delete(op)
    this.#send({ type: 'answer', op, ok: false, refusal: failureOf(error).refusal })
  }

  abandon(op: number): void {
    this.#ops.get(op)?.stop.abort(new RpcError('cancelled', 'The plugin called it off'))
  }

  grant(op: number, count: number): void {
    this.#ops.get(op)?.outflow?.grant(count)
  }

  leave(op: number): void {
    const under = this.#ops.get(op)
    under?.stop.abort(new RpcError('cancelled', 'Nobody reads on'))
    under?.outflow?.leave()
  }

  /** The entry has ended: the streams it left open end with it. What answers once may still be finished. */
  release(entry: number): void {
    for (const [op, under] of this.#ops) if (under.entry === entry && under.streams) this.leave(op)
  }

  /** The child has gone: whatever it asked for is called off. */
  close(): void {
    for (const op of this.#ops.keys()) this.leave(op)
    this.#ops.clear()
  }

  async #carryOut({ op, name, args, credit }: Host, host: NonNullable<WalledEntry['host']>, under: Op): Promise<void> {
    try {
      const answer = await host(name, args, under.stop.signal)
      if (op === undefined || this.#ops.get(op) !== under) return
      this.#answer(op, answer, credit, under)
    } catch (thrown) {
      if (op !== undefined && this.#ops.get(op) === under) this.refuse(op, thrown as RpcError)
    }
  }

  #answer(op: number, answer: HostAnswer, credit: number | undefined, under: Op): void {
    if (answer.ok && answer.stream && credit !== undefined) return this.#stream(op, answer.stream, credit, under)
    if (answer.ok && answer.stream) throw new RpcError('internal', 'A stream was asked for as a value')
    this.#send(answer.ok ? { type: 'answer', op, ok: true, ...(answer.value !== undefined && { value: answer.value }) } : { type: 'answer', op, ...answer })
    this.#ops.delete(op)
  }

  #stream(op: number, items: AsyncIterable<Json>, credit: number, under: Op): void {
    this.#send({ type: 'answer', op, ok: true, streams: true })
    under.outflow = new Outflow({
      items,
      credit,
      send: (value) => this.#send({ type: 'item', stream: op, value }),
      end: (failure) => {
        if (!this.#ops.delete(op)) return
        this.#send({ type: 'end', stream: op, ...(failure && { refusal: failureOf(failure.thrown).refusal }) })
      },
    })
    if (under.stop.signal.aborted) under.outflow.leave()
  }
}
