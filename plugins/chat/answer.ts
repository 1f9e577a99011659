/**
 * What a run has brought forth so far, round by round. It is complete at every moment: whatever ends the run, this is what
 * is kept of it.
 */
import { RpcError, type Message, type ModelPart, type Usage } from '@isopod/plugin-api'
import { together } from './ledger.ts'
import type { ToolCall, ToolResult } from './pairing.ts'

/** In JSON text. The store takes 16 MiB in one message; a model that has said half of that has lost its way. */
const LONGEST = 8 * 1024 * 1024

interface Round {
  text: string
  readonly calls: ToolCall[]
  readonly results: Map<string, ToolResult>
}

const NONE: Usage = { promptTokens: 0, completionTokens: 0, totalTokens: 0 }

export class Answer {
  readonly #rounds: Round[] = []
  readonly #freshId: () => string
  readonly #callIds = new Set<string>()
  #length = 0
  #usage = NONE

  /** `freshId` names calls whose model gave them no name of their own. */
  constructor(freshId: () => string) {
    this.#freshId = freshId
  }

  get usage(): Usage {
    return this.#usage
  }

  /** The calls of the current round. */
  get calls(): readonly ToolCall[] {
    return this.#current.calls
  }

  /** All that was said, as the reader of the deltas has it. */
  get response(): string {
    return this.#rounds.map(({ text }) => text).filter((text) => text !== '').join('\n\n')
  }

  get messages(): Message[] {
    return this.#rounds.flatMap(messagesOf)
  }

  beginRound(): void {
    this.#rounds.push({ text: '', calls: [], results: new Map() })
  }

  /** Takes in text and answers what its reader is to be told: a new round is set apart from what was said before. */
  say(text: string): string {
    this.#grow(text.length)
    const apart = this.#current.text === '' && this.response !== '' ? '\n\n' : ''
    this.#current.text += text
    return apart + text
  }

  /** Counts what the model thinks. It is told and not kept, and still has an end. */
  think(text: string): void {
    this.#grow(text.length)
  }

  /** Takes in a call. Models have been seen to give none or the same id twice; within a run each call gets one of its own. */
  ask({ id, name, args }: Extract<ModelPart, { type: 'toolCall' }>): void {
    this.#grow(JSON.stringify(args ?? null).length)
    const own = id === '' || this.#callIds.has(id) ? this.#freshId() : id
    this.#callIds.add(own)
    this.#current.calls.push({ type: 'toolCall', id: own, name, args: args ?? null })
  }

  settle(result: ToolResult): void {
    this.#grow(JSON.stringify(result.result).length)
    this.#current.results.set(result.id, result)
  }

  count(usage: Usage): void {
    this.#usage = together(this.#usage, usage)
  }

  get #current(): Round {
    const round = this.#rounds.at(-1)
    if (!round) throw new Error('No round has begun')
    return round
  }

  #grow(length: number): void {
    if (this.#length + length > LONGEST) throw new RpcError('payload_too_large', `The answer grew beyond ${LONGEST} characters`)
    this.#length += length
  }
}

function messagesOf({ text, calls, results }: Round): Message[] {
  const told = calls.flatMap(({ id }) => results.get(id) ?? [])
  const parts = [...(text === '' ? [] : [{ type: 'text', text } as const]), ...calls]
  if (parts.length === 0) return []
  return told.length === 0 ? [{ role: 'assistant', parts }] : [{ role: 'assistant', parts }, { role: 'tool', parts: told }]
}
