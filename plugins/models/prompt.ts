/**
 * The conversation, from the gateway's neutral words into those of the provider packages. It renames and reorders nothing
 * else: what a vendor cannot take in the order it comes in is that vendor's own file's business.
 */
import { RpcError, type Json, type Message, type Part } from '@isopod/plugin-api'
import { attachment } from './attachment.ts'
import type { SdkAssistantPart, SdkMessage, SdkPrompt, SdkToolResult, SdkUserPart } from './sdk.ts'

type PartOf<Type extends Part['type']> = Extract<Part, { readonly type: Type }>

/** Messages without content are left out: vendors refuse them. Throws `invalid_request` where nothing is left to answer. */
export function promptOf(messages: readonly Message[]): SdkPrompt {
  const prompt = messages.map(message).filter((one) => one.content.length > 0)
  if (prompt.every(({ role }) => role === 'system')) {
    throw new RpcError('invalid_request', 'The conversation holds nothing to answer: its messages are empty', { param: 'messages' })
  }
  return prompt
}

function message({ role, parts }: Message): SdkMessage {
  switch (role) {
    case 'system':
      return { role, content: parts.filter(isText).map(({ text }) => text).join('\n') }
    case 'user':
      return { role, content: parts.flatMap(userPart) }
    case 'assistant':
      return { role, content: parts.flatMap(assistantPart) }
    case 'tool':
      return { role, content: parts.filter((part) => part.type === 'toolResult').map(toolResult) }
  }
}

function isText(part: Part): part is PartOf<'text'> {
  return part.type === 'text' && part.text !== ''
}

function userPart(part: Part): SdkUserPart[] {
  if (isText(part)) return [{ type: 'text', text: part.text }]
  return part.type === 'image' || part.type === 'file' ? [attachment(part)] : []
}

function assistantPart(part: Part): SdkAssistantPart[] {
  if (isText(part)) return [{ type: 'text', text: part.text }]
  return part.type === 'toolCall' ? [{ type: 'tool-call', toolCallId: part.id, toolName: part.name, input: argumentsOf(part.args) }] : []
}

/** Vendors take an object and nothing else; arguments that were none when the model gave them are told as an empty one. */
function argumentsOf(args: Json): Json {
  return typeof args === 'object' && args !== null && !Array.isArray(args) ? args : {}
}

function toolResult({ id, name, result, isError }: PartOf<'toolResult'>): SdkToolResult {
  return { type: 'tool-result', toolCallId: id, toolName: name, output: output(result, isError === true) }
}

function output(result: Json, isError: boolean): SdkToolResult['output'] {
  if (typeof result === 'string') return { type: isError ? 'error-text' : 'text', value: result }
  // The packages declare their JSON mutable; none of them changes what it is given.
  const value = result as Extract<SdkToolResult['output'], { type: 'json' }>['value']
  return { type: isError ? 'error-json' : 'json', value }
}
