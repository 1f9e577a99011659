/**
 * What can stop a call: its deadline, its caller, the call it is part of. Once stopped it stays so, with the first reason.
 * The `AbortSignal` is made only where a handler asks for it; most calls never do, and it is the costliest part of one.
 */
import { RpcError } from '@isopod/plugin-api'
import type { Clock } from './clock.ts'
import { afterTurn } from './turn.ts'

export class Stopping {
  reason: RpcError | undefined
  #controller: AbortController | undefined
  #parts: Set<Stopping> | undefined
  #whole: Stopping | undefined
  #watch: ((reason: RpcError) => void) | undefined
  #undo: (() => void)[] | undefined

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
    this.#watch?.(reason)
  }

  /** Stopping this one stops that one too, until either has settled. */
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
    this.#later(() => signal.removeEventListener('abort', stop))
  }

  /**
   * Stops with `timeout` when the clock's elapsed milliseconds come to `at`.
   * There is a timer only for what outlasts its turn.
   */
  deadline(clock: Clock, at: number, message: () => string): void {
    const stop = () => this.stop(new RpcError('timeout', message()))
    const arm = () => {
      const left = at - clock.elapsed()
      if (left > 0) this.#later(clock.after(left, stop))
      else stop()
    }
    this.#later(afterTurn(arm))
  }

  /** Tells the one who waits for the call's end that it was stopped; at once where it was already. */
  watch(told: (reason: RpcError) => void): void {
    if (this.reason) told(this.reason)
    else this.#watch = told
  }

  /** Calls back after a while, unless the call has settled by then. */
  unlessSettled(clock: Clock, ms: number, callback: () => void): void {
    this.#later(clock.after(ms, callback))
  }

  /** The call has been answered: lets go of its timers and of the call it was part of, and ends what it left running. */
  settle(): void {
    if (this.#whole) this.#whole.#parts?.delete(this)
    this.#whole = undefined
    this.#watch = undefined
    const undo = this.#undo
    this.#undo = undefined
    for (const one of undo ?? []) one()
    const parts = this.#parts
    this.#parts = undefined
    for (const part of parts ?? []) part.stop(new RpcError('cancelled', 'The call this was part of has ended'))
  }

  #later(undo: () => void): void {
    this.#undo ??= []
    this.#undo.push(undo)
  }
}
