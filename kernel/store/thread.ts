/**
 * The life of the store's thread, seen from the gateway: started, opened or refused, answering, and ended or dead. Knows
 * messages and exits; who waits for which answer is not its concern.
 */
import { Worker } from 'node:worker_threads'
import type { Answer, FromThread, Request, ThreadOptions, ToThread } from './message.ts'
import { OpenRefusal } from './open-refusal.ts'

const QUICKENED = new URL('../quickened.mjs', import.meta.url).href

export interface ThreadEvents {
  answered(answers: readonly Answer[], commits: number): void
  /** It ended without being asked to, after it had opened. Everything it said before has been heard. */
  died(cause: unknown): void
}

export type OpenedMessage = Extract<FromThread, { kind: 'opened' }>

export class Thread {
  readonly #worker: Worker
  readonly #events: ThreadEvents
  readonly #exited: Promise<void>
  readonly #opened = Promise.withResolvers<OpenedMessage>()
  #phase: 'opening' | 'open' | 'ending' | 'over' = 'opening'
  #refusal: OpenRefusal | undefined
  #cause: unknown

  constructor(file: URL, options: ThreadOptions, events: ThreadEvents) {
    this.#events = events
    // Hooks that load sources quickly do not reach a thread by themselves; without them it strips types anew, which takes
    // 15 ms and 17 MB. A bundle has no types to strip.
    const execArgv = file.pathname.endsWith('.ts') ? ['--import', QUICKENED] : []
    this.#worker = new Worker(file, { workerData: options, name: 'isopod-store', execArgv })
    this.#worker.on('message', (message: FromThread) => this.#hear(message))
    this.#worker.on('error', (cause) => (this.#cause = cause))
    this.#exited = new Promise((resolve) => this.#worker.once('exit', (code) => resolve(this.#end(code))))
  }

  /** What it said when the database was open. Rejects with an `OpenRefusal`. */
  get opened(): Promise<OpenedMessage> {
    return this.#opened.promise
  }

  post(requests: readonly Request[]): void {
    if (this.#phase === 'open') this.#send(requests)
  }

  /** Lets it answer what it has and close the database. Resolves when it is gone. */
  async end(): Promise<void> {
    if (this.#phase === 'open') {
      this.#phase = 'ending'
      this.#send('close')
    }
    await this.#exited
  }

  #send(message: ToThread): void {
    this.#worker.postMessage(message)
  }

  #hear(message: FromThread): void {
    if (message.kind === 'answered') return this.#events.answered(message.answers, message.commits)
    if (message.kind === 'refused') {
      this.#refusal = new OpenRefusal(message.reason, message.message)
      return
    }
    this.#phase = 'open'
    this.#opened.resolve(message)
  }

  /** A refusal is told only now, when the files are closed and the owner may move them. */
  #end(code: number): void {
    const phase = this.#phase
    this.#phase = 'over'
    const cause = this.#cause ?? new Error(`it ended with code ${code}`)
    if (phase === 'opening') this.#opened.reject(this.#refusal ?? notStarted(cause))
    if (phase === 'open') this.#events.died(cause)
  }
}

function notStarted(cause: unknown): OpenRefusal {
  const said = cause instanceof Error ? cause.message : String(cause)
  return new OpenRefusal('failed', `The store's thread did not start: ${said}`, cause)
}
