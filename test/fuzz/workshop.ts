/**
 * Whoever hands files to the gateway in the thread and waits for what it makes of them. A thread that is silent past what any file
 * may take is ended and said to hang; one that fell over is said to have crashed; the next file finds a new one.
 */
import { once } from 'node:events'
import { setTimeout as pass } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { HANG_MS } from './line.ts'

export type Asked =
  | { readonly kind: 'config'; readonly name: string; readonly text: string }
  | { readonly kind: 'manifest'; readonly text: string; readonly trust: 'full' | 'sandboxed' }

export interface Answered {
  readonly kind: 'answer'
  /** What went wrong, a sentence each. */
  readonly problems: readonly string[]
}

/** A gateway and all its plugins take a fifth of it. */
const HEAP_MB = 512

export class Workshop {
  #worker: Worker | undefined

  /** Rejects with everything that went wrong. */
  async make(asked: Asked): Promise<void> {
    const worker = await this.#ready()
    const stop = new AbortController()
    try {
      const answered = once(worker, 'message', { signal: stop.signal }).then(([answer]) => answer as Answered, () => undefined)
      const fell = once(worker, 'exit', { signal: stop.signal }).then(() => 'the gateway crashed', () => undefined)
      worker.postMessage(asked)
      const outcome = await Promise.race([answered, fell, pass(HANG_MS, `the gateway hangs: no answer within ${HANG_MS / 1000} s`, { signal: stop.signal }).catch(() => undefined)])
      const problems = typeof outcome === 'object' ? outcome.problems : [outcome ?? 'the gateway crashed', ...this.#last]
      if (typeof outcome !== 'object') await this.#discard()
      if (problems.length > 0) throw new Error(problems.join('; '))
    } finally {
      stop.abort()
    }
  }

  async close(): Promise<void> {
    const worker = this.#worker
    if (!worker) return
    const gone = once(worker, 'exit')
    worker.postMessage('close')
    await gone
  }

  #last: string[] = []

  async #ready(): Promise<Worker> {
    if (this.#worker) return this.#worker
    const worker = new Worker(new URL('./file-gateway.ts', import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: HEAP_MB }, execArgv: [] })
    this.#last = []
    worker.on('error', (thrown: unknown) => {
      this.#last.push(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown))
    })
    worker.once('exit', () => {
      if (this.#worker === worker) this.#worker = undefined
    })
    await once(worker, 'message')
    this.#worker = worker
    return worker
  }

  async #discard(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }
}
