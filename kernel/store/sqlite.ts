/**
 * The embedded driver on the gateway's side: hands calls to the store's thread, settles them with its answers, and starts
 * it again when it died. Calls made in one turn of the event loop travel in one message, in the order they were made. Knows
 * no SQL and opens no file.
 */
import type { Store } from '@isopod/plugin-api'
import { RESTART_MS, RESTART_RESET_MS } from './bounds.ts'
import type { StoreDriver, StoreFailure, StoreOptions, StoreStats } from './driver.ts'
import type { Answer, Question, Request, ThreadOptions } from './message.ts'
import { openNamespace } from './namespace.ts'
import { OpenRefusal } from './open-refusal.ts'
import { Probe } from './probe.ts'
import { Thread, type OpenedMessage } from './thread.ts'
import { unavailable, Waiting } from './waiting.ts'

export class SqliteDriver implements StoreDriver {
  readonly #options: StoreOptions
  readonly #threadOptions: ThreadOptions
  readonly #waiting = new Waiting()
  readonly #callbacks = new Set<(failure: StoreFailure) => void>()
  readonly #counts = { reads: 0, writes: 0, commits: 0, conflicts: 0, refused: 0, restarts: 0 }
  #outgoing: Request[] = []
  #state: StoreStats['state'] = 'open'
  #trouble: { readonly kind: StoreFailure['kind']; readonly message: string } | undefined
  readonly #probe: Probe
  #thread: Thread
  #openedAt = 0
  #deaths = 0
  #cancelRestart: (() => void) | undefined

  /** Opens the database in a new thread. Rejects with an `OpenRefusal`. */
  static async open(options: StoreOptions): Promise<SqliteDriver> {
    const driver = new SqliteDriver(options)
    const { from, to, backup } = await driver.#opened()
    if (backup !== undefined) options.log.info('The database was brought up to date', { from, to, backup })
    return driver
  }

  private constructor(options: StoreOptions) {
    this.#options = options
    const { path, busyMs, maxBytes, migrations } = options
    this.#threadOptions = {
      path,
      sender: options.clock.id(),
      ...(busyMs === undefined ? {} : { busyMs }),
      ...(maxBytes === undefined ? {} : { maxBytes }),
      ...(migrations === undefined ? {} : { migrations }),
    }
    this.#probe = new Probe({
      clock: options.clock,
      path,
      needed: () => this.#state === 'open' && this.#trouble?.kind === 'disk',
      write: () => this.#ask({ kind: 'write', namespace: '', at: options.clock.now(), length: 0, steps: [] }),
    })
    this.#thread = this.#start()
  }

  namespace(id: string): Store {
    return openNamespace(id, (question) => this.#ask(question), this.#options.clock)
  }

  stats(): StoreStats {
    const trouble = this.#trouble === undefined ? {} : { trouble: this.#trouble.message }
    return { state: this.#state, ...trouble, pending: this.#waiting.size, ...this.#counts }
  }

  onFailure(callback: (failure: StoreFailure) => void): () => void {
    this.#callbacks.add(callback)
    return () => this.#callbacks.delete(callback)
  }

  async close(): Promise<void> {
    this.#flush()
    this.#state = 'closed'
    this.#cancelRestart?.()
    this.#probe.end()
    await this.#thread.opened.catch(() => {}) // a start that fails has nothing to end
    await this.#thread.end()
    this.#waiting.refuse('The store is closed')
  }

  /** The thread answers a question with the result of its kind, which is what the cast says. */
  async #ask<Result>(question: Question): Promise<Result> {
    if (this.#state !== 'open') throw unavailable(WHY_NOT[this.#state])
    const { request, result } = this.#waiting.add(question)
    if (this.#outgoing.length === 0) queueMicrotask(() => this.#flush())
    this.#outgoing.push(request)
    return (await result) as Result
  }

  #flush(): void {
    if (this.#outgoing.length === 0) return
    const requests = this.#outgoing
    this.#outgoing = []
    this.#thread.post(requests)
  }

  #start(): Thread {
    return new Thread(this.#options.worker ?? new URL('./worker.ts', import.meta.url), this.#threadOptions, {
      answered: (answers, commits) => this.#answered(answers, commits),
      died: (cause) => this.#died(cause),
    })
  }

  async #opened(): Promise<OpenedMessage> {
    const opened = await this.#thread.opened
    this.#openedAt = this.#options.clock.elapsed()
    return opened
  }

  #answered(answers: readonly Answer[], commits: number): void {
    this.#counts.commits += commits
    if (commits > 0 && this.#trouble?.kind === 'disk') this.#recovered()
    for (const answer of answers) this.#settle(answer)
  }

  #settle(answer: Answer): void {
    const question = this.#waiting.settle(answer)
    if (question === undefined) return
    this.#counts[question.kind === 'write' ? 'writes' : 'reads']++
    if (!('fault' in answer)) return
    const { code, message } = answer.fault
    if (code === 'conflict') this.#counts.conflicts++
    if (code === 'unavailable' || code === 'damaged') this.#counts.refused++
    if (code === 'unavailable') this.#fail('disk', message)
    if (code === 'damaged') this.#fail('damaged', message)
  }

  /** Writers may have been committed without having been told: the next thread knows, so they wait for it, and readers do not. */
  #died(cause: unknown): void {
    if (this.#options.clock.elapsed() - this.#openedAt > RESTART_RESET_MS) this.#deaths = 0
    this.#outgoing = []
    this.#fail('thread', `The store's thread died: ${cause instanceof Error ? cause.message : String(cause)}`)
    this.#counts.refused += this.#waiting.refuse(WHY_NOT.restarting, (question) => question.kind !== 'write')
    if (this.#state === 'closed') return
    this.#state = 'restarting'
    this.#restartLater()
  }

  #restartLater(): void {
    const wait = RESTART_MS[this.#deaths++]
    if (wait === undefined) return this.#lost('The store\'s thread died too often and is not started again. Restart the gateway.')
    if (wait === 0) void this.#restart()
    else this.#cancelRestart = this.#options.clock.after(wait, () => void this.#restart())
  }

  async #restart(): Promise<void> {
    this.#thread = this.#start()
    try {
      const { outcome } = await this.#opened()
      for (const answer of outcome?.answers ?? []) this.#settle(answer)
      this.#refuseWaiting()
      if (this.#state === 'closed') return
      this.#counts.restarts++
      this.#state = 'open'
      this.#recovered()
    } catch (thrown) {
      this.#refuseWaiting()
      if (this.#state === 'closed') return
      if (thrown instanceof OpenRefusal && HOPELESS.has(thrown.reason)) this.#lost(thrown.message)
      else this.#restartLater()
    }
  }

  #refuseWaiting(): void {
    this.#counts.refused += this.#waiting.refuse(WHY_NOT.restarting)
  }

  #lost(message: string): void {
    this.#state = 'failed'
    this.#fail('lost', message)
  }

  /** Told once as long as it lasts, and again when it gets worse. */
  #fail(kind: StoreFailure['kind'], message: string): void {
    if (this.#trouble !== undefined && SEVERITY.indexOf(kind) <= SEVERITY.indexOf(this.#trouble.kind)) return
    this.#trouble = { kind, message }
    this.#options.log.error(message, { failure: kind, database: this.#options.path })
    if (kind === 'disk') this.#probe.begin()
    for (const callback of this.#callbacks) callback({ kind, message, final: kind === 'damaged' || kind === 'lost' })
  }

  #recovered(): void {
    this.#options.log.info('The store works again', { after: this.#trouble?.message })
    this.#trouble = undefined
  }
}

const SEVERITY: readonly StoreFailure['kind'][] = ['disk', 'thread', 'damaged', 'lost']

const HOPELESS: ReadonlySet<string> = new Set(['damaged', 'newer', 'foreign'])

const WHY_NOT = {
  restarting: 'The store is being restarted: nothing of this was written, try again in a moment',
  failed: 'The store has failed: the gateway has to be restarted',
  closed: 'The store is closed',
} as const
