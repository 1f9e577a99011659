/**
 * The calls that wait for the store's thread: bounded in number and in text, each settled exactly once, with an answer,
 * or with a refusal that is true: what is refused here was not written.
 */
import { RpcError } from '@isopod/plugin-api'
import { PENDING_CALLS, PENDING_LENGTH } from './bounds.ts'
import type { Answer, Fault, Question, Request, Results } from './message.ts'

interface Call {
  readonly question: Question
  readonly resolve: (result: Results[Question['kind']]) => void
  readonly reject: (reason: unknown) => void
}

export class Waiting {
  readonly #calls = new Map<number, Call>()
  #length = 0
  #lastId = 0

  get size(): number {
    return this.#calls.size
  }

  /** Adds a call; answers its request and the promise of its result. Throws `unavailable` where too much waits already. */
  add(question: Question): { request: Request; result: Promise<Results[Question['kind']]> } {
    if (this.#calls.size >= PENDING_CALLS || this.#length + lengthOf(question) > PENDING_LENGTH)
      throw unavailable('The store has more to do than it can hold: try again in a moment')
    const { promise, resolve, reject } = Promise.withResolvers<Results[Question['kind']]>()
    const id = ++this.#lastId
    this.#calls.set(id, { question, resolve, reject })
    this.#length += lengthOf(question)
    return { request: { id, question }, result: promise }
  }

  /** Hands an answer to its call. Answers the question it was for, or undefined if nobody waits for it any more. */
  settle(answer: Answer): Question | undefined {
    const call = this.#take(answer.id)
    if (call === undefined) return undefined
    if ('result' in answer) call.resolve(answer.result)
    else call.reject(errorOf(answer.fault))
    return call.question
  }

  /** Refuses all of them, or those of the kind named. Answers how many. */
  refuse(message: string, which: (question: Question) => boolean = () => true): number {
    const ids = [...this.#calls].filter(([, call]) => which(call.question)).map(([id]) => id)
    for (const id of ids) this.#take(id)?.reject(unavailable(message))
    return ids.length
  }

  #take(id: number): Call | undefined {
    const call = this.#calls.get(id)
    if (call === undefined) return undefined
    this.#calls.delete(id)
    this.#length -= lengthOf(call.question)
    return call
  }
}

/** The same call may succeed later. */
export function unavailable(message: string): RpcError {
  return new RpcError('unavailable', message, { retryable: true, retryAfterSeconds: 1 })
}

/** What a caller is told. A damaged file is named to the owner, not to callers; and no call to come will mend it. */
function errorOf(fault: Fault): Error {
  switch (fault.code) {
    case 'unavailable': return unavailable(fault.message)
    case 'damaged': return new RpcError('unavailable', DAMAGED, { retryable: false, cause: new Error(fault.message) })
    case 'internal': return new Error(`The store failed: ${fault.message}`)
    default: return new RpcError(fault.code, fault.message)
  }
}

const DAMAGED = 'The store is damaged and takes no more writes'

function lengthOf(question: Question): number {
  return question.kind === 'write' ? question.length : 0
}
