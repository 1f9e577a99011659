/**
 * The models a run may use, the agent's own first. A model that cannot answer now is asked once more after a moment, where
 * that may help, and then left for the next, as long as nothing of its answer has been told: half an answer cannot be begun again.
 */
import { isRpcError, refusalOf, RpcError, type Context, type JsonObject, type ModelPart, type ModelRequest } from '@isopod/plugin-api'
import type { ModelResolved } from '../models/contract.ts'
import type { Agent } from './agent.ts'
import { pause } from './stopping.ts'

/** The longest a reader is made to wait for a model that asked for time, and what is waited where it did not say. */
const LONGEST_WAIT_MS = 10_000
const WAIT_MS = 1_000

export type Shape = (model: string) => Promise<Omit<ModelRequest, 'model'>>

export class ModelChain {
  readonly #models: string[]
  /** Why each model that was left could not answer, as `provider/model: reason`. */
  readonly #left: string[] = []
  #mayRetry = true

  constructor(models: readonly [string, ...string[]]) {
    this.#models = [...models]
  }

  /** The `provider/model` that answers now. */
  get current(): string {
    // There is always one: the last is never left.
    return this.#models[0] as string
  }

  /** Streams one answer. `shape` makes the request for each model that is tried. Throws the last model's refusal, with what the others said in its message. */
  async *stream(shape: Shape, ctx: Context): AsyncGenerator<ModelPart> {
    this.#mayRetry = true
    for (;;) {
      let isBegun = false
      try {
        const request = await shape(this.current)
        // A request and the parts of an answer are JSON by construction, which interfaces cannot show.
        const params = { id: this.current, request } as unknown as JsonObject
        for await (const part of ctx.stream('model.stream', params) as AsyncIterable<unknown>) {
          isBegun = true
          yield part as ModelPart
        }
        return
      } catch (thrown) {
        if (isBegun || ctx.signal.aborted || !isTheModels(thrown)) throw thrown
        await this.#tryOn(thrown, ctx)
      }
    }
  }

  /** Waits for the same model, or goes on to the next; throws the refusal where neither is left. */
  async #tryOn(refusal: RpcError, ctx: Context): Promise<void> {
    const waitMs = refusal.retryAfterSeconds === undefined ? WAIT_MS : refusal.retryAfterSeconds * 1_000
    if (this.#mayRetry && refusal.retryable !== false && waitMs <= LONGEST_WAIT_MS) {
      this.#mayRetry = false
      return pause(waitMs, ctx.signal)
    }
    if (this.#models.length === 1) throw this.#inFull(refusal)
    const left = this.current
    this.#models.shift()
    this.#left.push(`${left}: ${refusal.message}`)
    this.#mayRetry = true
    ctx.log.warn(`${left} cannot answer (${refusal.code}: ${refusal.message}); ${this.current} is asked instead`)
  }

  /** The last model's refusal; behind others, it names them all, since the first is the one the owner wanted. */
  #inFull(refusal: RpcError): RpcError {
    if (this.#left.length === 0) return refusal
    const { code, message, ...facts } = refusalOf(refusal)
    return new RpcError(code, [...this.#left, `${this.current}: ${message}`].join('; '), { ...facts, cause: refusal })
  }
}

/** The model that was named, or the agent's, or the default; behind it the agent's fallbacks, as far as they are configured. */
export async function chainFor(agent: Agent, model: string | undefined, ctx: Context): Promise<ModelChain> {
  // What the method answers is its contract's.
  const resolve = async (name?: string) =>
    (await ctx.call('model.resolve', name === undefined ? {} : { model: name })) as unknown as ModelResolved
  const [first, ...fallbacks] = await Promise.all([resolve(model ?? agent.model), ...agent.fallbacks.map((name) => resolve(name))])
  const others = fallbacks.filter(({ known }) => known).map(({ id }) => id)
  return new ModelChain([first.id, ...new Set(others.filter((id) => id !== first.id))])
}

/** The trouble is the model's, not the request's: another model may do. */
function isTheModels(thrown: unknown): thrown is RpcError {
  return isRpcError(thrown) && ['rate_limited', 'unavailable', 'timeout'].includes(thrown.code)
}
