/**
 * The stream of OpenAI's chat completions, read without the provider package. The package checks every event against a schema
 * and hands it through four streams, which costs more than everything else an answer needs. Here an event is parsed once and
 * looked at where something is taken from it; what is of another type there is no chat completion, and that is an error.
 */
import { CallsUnderWay, type CallDelta } from './calls-under-way.ts'
import type { Counted, Finish, Piece, Unified } from './piece.ts'
import { ServerEvents } from './server-events.ts'

interface Chunk {
  readonly choices: readonly Choice[]
  readonly usage?: { readonly prompt_tokens?: number | null; readonly completion_tokens?: number | null } | null
}

interface Choice {
  readonly delta?: Delta | null
  readonly finish_reason?: string | null
}

interface Delta {
  readonly content?: unknown
  readonly refusal?: unknown
  readonly reasoning_content?: unknown
  readonly reasoning?: unknown
  readonly tool_calls?: readonly CallDelta[] | null
}

/** Some servers send content in parts; of these two types they carry text. */
interface ContentPart {
  readonly type?: unknown
  readonly text?: unknown
  readonly thinking?: unknown
}

const REASONS: Readonly<Record<string, Unified>> = {
  stop: 'stop',
  length: 'length',
  content_filter: 'content-filter',
  tool_calls: 'tool-calls',
  function_call: 'tool-calls',
}

/** Throws an `Error` for what is no chat completion; what `chunks` throws goes through. No `finish` where the stream had none. */
export async function* completionEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Piece> {
  const events = new ServerEvents()
  const answer = new CompletionAnswer()
  for await (const bytes of chunks) {
    for (const text of events.take(bytes)) {
      if (text === '[DONE]') continue
      for (const piece of taken(answer, text)) yield piece
    }
  }
  for (const piece of answer.end()) yield piece
}

function taken(answer: CompletionAnswer, text: string): readonly Piece[] {
  try {
    return answer.take(text)
  } catch (cause) {
    throw new Error('An event is no chunk of a chat completion', { cause })
  }
}

class CompletionAnswer {
  readonly #calls = new CallsUnderWay()
  #understood = false
  #raw: string | undefined
  #refused = false
  #usage: Counted | undefined

  take(text: string): readonly Piece[] {
    const value: unknown = JSON.parse(text)
    const error = errorIn(value)
    if (error !== undefined) return [{ type: 'error', error }]
    if (!isChunk(value)) throw new Error('It has no choices')
    const pieces: Piece[] = this.#understood ? [] : [{ type: 'response-metadata' }]
    this.#understood = true
    if (value.usage) this.#usage = counted(value.usage)
    const [choice] = value.choices
    if (typeof choice?.finish_reason === 'string') this.#raw = choice.finish_reason
    if (choice?.delta) this.#hear(choice.delta, pieces)
    return pieces
  }

  end(): readonly Piece[] {
    return [...this.#calls.end(), ...(this.#raw === undefined ? [] : [this.#finish(this.#raw)])]
  }

  #hear({ content, refusal, reasoning_content, reasoning, tool_calls }: Delta, pieces: Piece[]): void {
    add(pieces, 'reasoning-delta', reasoning_content ?? reasoning)
    if (Array.isArray(content)) for (const part of content as readonly ContentPart[]) addPart(pieces, part)
    else add(pieces, 'text-delta', content)
    if (typeof refusal === 'string' && refusal !== '') {
      this.#refused = true
      add(pieces, 'text-delta', refusal)
    }
    for (const delta of tool_calls ?? []) pieces.push(...this.#calls.take(delta))
  }

  #finish(raw: string): Finish {
    const unified = raw === 'stop' && this.#refused ? 'content-filter' : (REASONS[raw] ?? 'other')
    return { type: 'finish', finishReason: { unified, raw }, usage: this.#usage ?? counted({}) }
  }
}

/** What a server says went wrong, in place of an event or in one. */
function errorIn(value: unknown): unknown {
  return (value as { readonly error?: unknown } | null)?.error ?? undefined
}

function isChunk(value: unknown): value is Chunk {
  return Array.isArray((value as { readonly choices?: unknown } | null)?.choices)
}

function add(pieces: Piece[], type: 'text-delta' | 'reasoning-delta', delta: unknown): void {
  if (delta === undefined || delta === null || delta === '') return
  if (typeof delta !== 'string') throw new Error('A piece of the answer is no text')
  pieces.push({ type, delta })
}

function addPart(pieces: Piece[], { type, text, thinking }: ContentPart): void {
  if (type === 'text') add(pieces, 'text-delta', text)
  if (type !== 'thinking' || !Array.isArray(thinking)) return
  for (const part of thinking as readonly ContentPart[]) if (part.type === 'text') add(pieces, 'reasoning-delta', part.text)
}

function counted({ prompt_tokens, completion_tokens }: NonNullable<Chunk['usage']>): Counted {
  return { inputTokens: { total: prompt_tokens ?? undefined }, outputTokens: { total: completion_tokens ?? undefined } }
}
