/** A finished answer as one `chat.completion`. */
import type { JsonObject, Usage } from '@isopod/plugin-api'
import type { ChatRunResult } from '../chat/contract.ts'
import { argumentsOf } from './tool-args.ts'

export function completionOf(result: ChatRunResult, model: string, now: number): JsonObject {
  return {
    id: completionId(result.runId),
    object: 'chat.completion',
    created: seconds(now),
    model,
    choices: [{ index: 0, message: messageOf(result), finish_reason: result.finishReason }],
    usage: usageOf(result.usage),
  }
}

export function completionId(runId: string): string {
  return `chatcmpl_${runId}`
}

/** The API counts seconds since 1970. */
export function seconds(now: number): number {
  return Math.floor(now / 1000)
}

export function usageOf({ promptTokens, completionTokens, totalTokens }: Usage): JsonObject {
  return { prompt_tokens: promptTokens, completion_tokens: completionTokens, total_tokens: totalTokens }
}

/** A call of the client's tool, as it stands in a message. */
export function toolCallOf(call: { readonly id: string; readonly name: string; readonly args: unknown }): JsonObject {
  return { id: call.id, type: 'function', function: { name: call.name, arguments: argumentsOf(call.args) } }
}

/** Where only tools were called the content is null, which clients tell from an empty text. */
function messageOf({ response, toolCalls }: ChatRunResult): JsonObject {
  if (toolCalls.length === 0) return { role: 'assistant', content: response }
  return { role: 'assistant', content: response === '' ? null : response, tool_calls: toolCalls.map(toolCallOf) }
}
