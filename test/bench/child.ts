/** A process of the bench's own: a reference server, the upstream or the load client. It ends with the bench. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Job, Load, Said } from './job.ts'

/** What a start may take, and what a job may take beyond its own time. */
const PATIENCE_MS = 30_000

export class Child {
  readonly #process: ChildProcess
  port = 0

  private constructor(file: URL) {
    this.#process = fork(fileURLToPath(file), { execArgv: ['--disable-warning=ExperimentalWarning'] })
  }

  /** A server; resolves once it listens. */
  static async server(file: URL): Promise<Child> {
    const child = new Child(file)
    const said = await child.#hear(PATIENCE_MS)
    if (said.kind === 'listening') child.port = said.port
    return child
  }

  static client(): Child {
    return new Child(new URL('./client.ts', import.meta.url))
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  /** Has a client carry out a job. Rejects with what stood in its way. */
  async ask(job: Job): Promise<Load> {
    this.#process.send(job)
    const jobMs = 'seconds' in job ? (job.warmSeconds + job.seconds) * 1000 : 0
    const said = await this.#hear(jobMs + PATIENCE_MS)
    if (said.kind === 'done') return said.load
    throw new Error(`The ${job.kind} load came to nothing: ${said.kind === 'failed' ? said.message : said.kind}`)
  }

  /** Resolves when it is gone. */
  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const gone = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await gone
  }

  async #hear(patienceMs: number): Promise<Said> {
    const stop = new AbortController()
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(patienceMs)])
    try {
      const ended = once(this.#process, 'exit', { signal }).then(([code]) => Promise.reject(new Error(`A process of the bench ended with ${code}`)))
      // The children say nothing but this.
      const said = once(this.#process, 'message', { signal }).then(([message]) => message as Said)
      return await Promise.race([said, ended])
    } finally {
      stop.abort()
    }
  }
}
