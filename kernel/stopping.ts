/**
 * What can stop a call: its deadline, its caller, the call it is part of. Once stopped it stays so, with the first reason.
 * The `AbortSignal` is made only where a handler asks for it; most calls never do, and it is the costliest part of one.
 */
import { RpcError } from '@isopod/plugin-api'
import type { Clock } from './clock.ts'

export class Stopping {
  reason: RpcError | undefined
  #controller: AbortController | undefined
  #parts: Set<Stopping> | undefined
  #whole: Stopping | undefined
  #waiting: Set<(reason: RpcError) => void> | undefined
  #undo: (() => void)[] = []

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.reason) this.#controller.abort(this.reason)
    return this.#controller.signal
  }

  stop(reason: RpcError): void {
    if (this.reason) return
    this.reason = reason
    this.#controller?.abort(reason)
    for (const part of this.#parts ?? []) part.stop(reason)
    for (const wake of this.#waiting ?? []) wake(reason)
  }

  /** Stopping this one stops that one too, until it has settled. */
  alsoStops(part: Stopping): void {
    if (this.reason) {
      part.stop(this.reason)
      return
    }
    this.#parts ??= new Set()
    this.#parts.add(part)
    part.#whole = this
  }

  /** Stops when a signal of the plugin's own does. */
  follow(signal: AbortSignal): void {
    const stop = () => this.stop(new RpcError('cancelled', 'The calling plugin cancelled this'))
    if (signal.aborted) {
      stop()
      return
    }
    signal.addEventListener('abort', stop, { once: true })
    this.#undo.push(() => signal.removeEventListener('abort', stop))
  }

  /** Stops with `timeout` after a while. */
  deadline(clock: Clock, ms: number, message: string): void {
    this.#undo.push(clock.after(ms, () => this.stop(new RpcError('timeout', message))))
  }

  /** The call has ended: lets go of its deadline and of the call it was part of. */
  settle(): void {
    if (this.#whole) this.#whole.#parts?.delete(this)
    this.#whole = undefined
    for (const undo of this.#undo) undo()
    this.#undo = []
  }

  /**
   * The work, or the reason it was stopped, whichever comes first. After a cancellation the work has `graceMs` to end in
   * its own words; after a deadline it has none, since an answer past it is refused even if it is ready.
   */
  race<Value>(work: Promise<Value>, clock: Clock, graceMs: number): Promise<Value> {
    return new Promise((resolve, reject) => {
      const wake = (reason: RpcError) => {
        if (reason.code === 'timeout' || graceMs === 0) reject(reason)
        else clock.after(graceMs, () => reject(reason))
      }
      this.#waiting ??= new Set()
      this.#waiting.add(wake)
      work.then(resolve, reject).finally(() => this.#waiting?.delete(wake))
      if (this.reason) wake(this.reason)
    })
  }
}
