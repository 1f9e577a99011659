/**
 * A stream from a plugin to whoever reads it, item by item and no faster than it is read. It begins with the first read;
 * the end of either side ends the other: a reader who leaves, and a call that is stopped while nobody reads, both end the
 * plugin's iterator.
 */
import { jsonCopy, RpcError, type Json } from '@isopod/plugin-api'
import type { Stopping } from './stopping.ts'

export interface Source {
  readonly where: string
  readonly stopping: Stopping
  /** Enters the plugin. May throw, and may answer anything: it is the plugin's code. */
  open(): unknown
  /** What a thrown thing means to the reader. */
  blamed(thrown: unknown): RpcError
  /** The reader has had the last of it. Called once. */
  answered(refusal?: RpcError): void
  /** The plugin's iterator has ended. Called once. */
  left(): void
}

export async function* flow(source: Source): AsyncGenerator<Json> {
  let iterator: AsyncIterator<unknown>
  try {
    iterator = iteratorOf(await opened(source), source.where)
  } catch (thrown) {
    const refusal = source.blamed(thrown)
    source.answered(refusal)
    source.left()
    throw refusal
  }
  const ending = new Ending(source, iterator)
  try {
    for (;;) {
      const next = await ending.next()
      if (next.done === true) break
      yield jsonCopy(next.value, source.where)
    }
    ending.ended()
  } catch (thrown) {
    throw ending.failed(thrown)
  } finally {
    ending.leave()
  }
}

/** What the plugin answered, or the reason the call was stopped before it did. */
function opened({ stopping, open }: Source): Promise<unknown> {
  return new Promise((resolve, reject) => {
    stopping.watch(reject)
    new Promise((answer) => answer(open())).then(resolve, reject)
  })
}

/** One end for a stream that may end in four ways: of itself, by failing, by its reader leaving, by being stopped. */
class Ending {
  readonly #source: Source
  readonly #iterator: AsyncIterator<unknown>
  #over = false
  #stop: ((reason: RpcError) => void) | undefined

  constructor(source: Source, iterator: AsyncIterator<unknown>) {
    this.#source = source
    this.#iterator = iterator
    source.stopping.watch((reason) => this.#stopped(reason))
  }

  /** The next item, or the reason the stream was stopped, whichever comes first. */
  next(): Promise<IteratorResult<unknown>> {
    const { reason } = this.#source.stopping
    if (reason) return Promise.reject(reason)
    return new Promise((resolve, reject) => {
      this.#stop = reject
      // A plugin's `next` may throw, or answer something that is no promise.
      new Promise<IteratorResult<unknown>>((answer) => answer(this.#iterator.next())).then(resolve, reject)
    })
  }

  ended(): void {
    if (this.#over) return
    this.#over = true
    this.#source.answered()
    this.#source.left()
  }

  failed(thrown: unknown): RpcError {
    const refusal = this.#source.blamed(thrown)
    this.#close(refusal)
    return refusal
  }

  /** Does nothing where the stream is over. */
  leave(): void {
    if (this.#over) return
    const reason = new RpcError('cancelled', 'Nobody reads on')
    this.#source.stopping.stop(reason)
    this.#close(reason)
  }

  #stopped(reason: RpcError): void {
    this.#stop?.(reason)
    this.#close(reason)
  }

  /** Not awaited by the reader: an iterator that is stuck must not hold him. */
  #close(refusal: RpcError): void {
    if (this.#over) return
    this.#over = true
    this.#source.answered(refusal)
    void returned(this.#iterator).then(() => this.#source.left())
  }
}

async function returned(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.()
  } catch {
    // Whoever would hear of it has left.
  }
}

function iteratorOf(items: unknown, where: string): AsyncIterator<unknown> {
  if (!isStream(items)) throw new RpcError('internal', `${where} answered no stream: one that streams answers an async iterable`)
  return items[Symbol.asyncIterator]()
}

/** Whether a value can be read as a stream. */
export function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === 'function'
}
