/**
 * Tokens of one answer. The provider's count stands where it gives one. Where it gives none, or a zero for something that was
 * sent, the count is estimated, because budgets and clients read zero as "free": one token for every four bytes of UTF-8 text
 * (the rule of thumb that both OpenAI and Anthropic give for English), at least one, and a thousand for each picture or file
 * (about a full-size picture at either).
 */
import type { Message, ModelRequest, Part, Usage } from '@isopod/plugin-api'
import type { Counted } from './piece.ts'

const BYTES_PER_TOKEN = 4
const TOKENS_PER_ATTACHMENT = 1000

/** `said` is the bytes of everything the model streamed: text, thinking and arguments. */
export function usageOf(counted: Counted, request: ModelRequest, said: number): Usage {
  const promptTokens = counted.inputTokens.total || promptEstimate(request)
  const completionTokens = counted.outputTokens.total || tokens(said)
  return { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens }
}

/** Bytes of a text, or of anything else as JSON. */
export function bytesOf(value: unknown): number {
  return Buffer.byteLength(typeof value === 'string' ? value : JSON.stringify(value))
}

function promptEstimate({ messages, tools }: ModelRequest): number {
  const parts = messages.flatMap((message: Message) => message.parts)
  const attachments = parts.filter((part) => part.type === 'image' || part.type === 'file').length
  const bytes = parts.reduce((sum, part) => sum + partBytes(part), tools ? bytesOf(tools) : 0)
  return tokens(bytes) + attachments * TOKENS_PER_ATTACHMENT
}

function partBytes(part: Part): number {
  switch (part.type) {
    case 'text':
      return bytesOf(part.text)
    case 'toolCall':
      return bytesOf(part.args)
    case 'toolResult':
      return bytesOf(part.result)
    case 'image':
    case 'file':
      return 0
  }
}

function tokens(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / BYTES_PER_TOKEN))
}
