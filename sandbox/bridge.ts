/**
 * The child's side of what plugins ask of their contexts: each op goes out under a number and its answer is matched to it.
 * It needs nothing of Node, so it can stand in an isolate as it is.
 */
import { errorOf, RpcError, type Json, type Refusal } from '@isopod/plugin-api'
import { Inflow, STREAM_WINDOW } from './flow.ts'
import type { Answer, FromChild } from './messages.ts'

/** Ops waiting for an answer at once. One plugin needs a handful; a loop that forgets to await needs to be told. */
const MAX_WAITING = 256

/** What is asked: the op's name, its arguments, and what may call it off early. */
export interface Question {
  readonly entry: number
  readonly name: string
  readonly args: readonly (Json | undefined)[]
  readonly signal?: AbortSignal | undefined
}

interface Waiting {
  readonly answer: (value: Json | undefined) => void
  readonly refuse: (thrown: unknown) => void
  readonly inflow?: Inflow<Json>
  readonly forget: () => void
}

export class Bridge {
  readonly #send: (message: FromChild) => void
  readonly #waiting = new Map<number, Waiting>()
  #last = 0

  constructor(send: (message: FromChild) => void) {
    this.#send = send
  }

  /** Asks, and answers what the gateway answered. Rejects with its refusal. */
  ask(question: Question): Promise<Json | undefined> {
    return new Promise((resolve, reject) => {
      this.#open(question, { answer: resolve, refuse: reject })
    })
  }

  /** Asks for a stream, once its first item is wanted. */
  stream(question: Question): AsyncIterable<Json> {
    let op = 0
    const inflow: Inflow<Json> = new Inflow<Json>({
      window: STREAM_WINDOW,
      open: () => {
        op = this.#open(question, { answer: () => inflow.end(), refuse: (thrown) => inflow.end({ thrown }), inflow })
      },
      credit: (count) => this.#send({ type: 'credit', stream: op, count }),
      leave: () => this.#send({ type: 'leave', stream: op }),
    })
    return inflow
  }

  /** Says something nobody waits for. */
  tell({ entry, name, args }: Question): void {
    this.#send({ type: 'host', entry, name, args: args.map(present) })
  }

  answered(message: Answer): void {
    const waiting = this.#waiting.get(message.op)
    if (!waiting) return
    if (message.ok && message.streams) return
    this.#close(message.op)
    if (message.ok) waiting.answer(message.value)
    else waiting.refuse(errorOf(message.refusal))
  }

  item(op: number, value: Json): void {
    this.#waiting.get(op)?.inflow?.push(value)
  }

  ended(op: number, refusal: Refusal | undefined): void {
    const waiting = this.#waiting.get(op)
    this.#close(op)
    waiting?.inflow?.end(refusal ? { thrown: errorOf(refusal) } : {})
  }

  #open({ entry, name, args, signal }: Question, waiting: Omit<Waiting, 'forget'>): number {
    if (this.#waiting.size >= MAX_WAITING) {
      throw new RpcError('unavailable', `More than ${MAX_WAITING} operations wait for their answers`, { retryable: true })
    }
    const op = ++this.#last
    const abandon = () => this.#send({ type: 'abandon', op })
    const credit = waiting.inflow && { credit: STREAM_WINDOW }
    this.#send({ type: 'host', entry, op, name, args: args.map(present), ...credit })
    this.#waiting.set(op, { ...waiting, forget: () => signal?.removeEventListener('abort', abandon) })
    if (signal?.aborted) abandon()
    else signal?.addEventListener('abort', abandon, { once: true })
    return op
  }

  #close(op: number): void {
    this.#waiting.get(op)?.forget()
    this.#waiting.delete(op)
  }
}

/** JSON has no undefined; in a list of arguments null stands for it. */
function present(arg: Json | undefined): Json {
  return arg === undefined ? null : arg
}
