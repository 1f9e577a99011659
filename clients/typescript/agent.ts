/** Runs of an agent over HTTP, under `/v1/agent`: an answer in one piece, or as it comes. */
import type { CallOptions } from './client-options.ts'
import type { ServerEvent } from './event-stream.ts'
import { GatewayError } from './gateway-error.ts'
import type { Http } from './http.ts'
import { field, isRecord, parsed, type Json, type JsonObject } from './json.ts'
import { refusalIn } from './refusal.ts'

/** What a run is asked for. */
export interface RunRequest {
  readonly message: string
  /** The conversation it belongs to; a fresh one without it. */
  readonly sessionKey?: string | undefined
  readonly agentId?: string | undefined
  readonly options?: RunOptions | undefined
}

/** How it is to be answered. */
export interface RunOptions {
  readonly thinking?: 'low' | 'medium' | 'high' | undefined
  /** `provider/model`, or an agent's name. */
  readonly model?: string | undefined
}

/** Tokens. */
export interface Usage {
  readonly promptTokens: number
  readonly completionTokens: number
  readonly totalTokens: number
}

/** What a run came to. */
export interface AgentRun {
  readonly runId: string
  readonly sessionKey: string
  readonly response: string
  readonly usage: Usage
}

/** A piece of the answer, or its end. */
export type AgentEvent =
  | { readonly type: 'delta'; readonly delta: string; readonly runId: string }
  | { readonly type: 'done'; readonly runId: string; readonly finishReason: string }

/** `client.agent`. */
export class Agent {
  readonly #http: Http

  constructor(http: Http) {
    this.#http = http
  }

  /**
   * Runs one turn and answers when it is done. It is never sent twice by itself.
   * @throws GatewayError what the gateway refused with, or why there was no answer
   */
  async run(request: RunRequest, options?: CallOptions): Promise<AgentRun> {
    // The gateway's own documents give this answer this shape.
    return (await this.#http.post('/v1/agent/run', request, options)) as unknown as AgentRun
  }

  /**
   * Runs one turn and tells its answer as it comes; `done` is the last event. Leaving the loop aborts the run.
   * @throws GatewayError also in mid-stream, `connection_lost` where it broke off
   */
  async *stream(request: RunRequest, options?: CallOptions): AsyncGenerator<AgentEvent, void> {
    for await (const { event, data } of untilDone(this.#http.events('/v1/agent/run/stream', { ...request, stream: true }, options))) {
      const runId = field(data, 'runId', 'string') ?? ''
      if (event === 'delta') yield { type: 'delta', delta: field(data, 'delta', 'string') ?? '', runId }
      else yield { type: 'done', runId, finishReason: field(data, 'finishReason', 'string') ?? 'stop' }
    }
  }
}

/** A delta or the end of an answer, its data read. */
export interface AnswerEvent {
  readonly event: 'delta' | 'done'
  readonly data: JsonObject
}

/**
 * The deltas of a stream and its `done`; events of other names are passed over.
 * @throws GatewayError what an `error` event says, or `connection_lost` where the stream ends without `done`
 */
export async function* untilDone(events: AsyncIterable<ServerEvent>): AsyncGenerator<AnswerEvent, void> {
  for await (const { event, data } of events) {
    if (event !== 'delta' && event !== 'done' && event !== 'error') continue
    const read: Json | undefined = parsed(data)
    if (event === 'error') throw refusalIn(read)
    if (!isRecord(read)) throw new GatewayError('bad_answer', `An event ${event} held something that is no JSON object`)
    yield { event, data: read }
    if (event === 'done') return
  }
  throw new GatewayError('connection_lost', 'The stream ended before the answer was complete')
}
