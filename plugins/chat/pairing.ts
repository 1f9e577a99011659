/**
 * Tool calls and their results, which belong together: a provider refuses a conversation with a call that was never
 * answered, or with a result that does not stand right behind its call. Both happen in honest conversations: a run that
 * was aborted, a window that begins in the middle, two runs in one session at once.
 */
import { RpcError, type Message, type Part } from '@isopod/plugin-api'

export type ToolCall = Extract<Part, { readonly type: 'toolCall' }>
export type ToolResult = Extract<Part, { readonly type: 'toolResult' }>

/**
 * The conversation as a model may be shown it: each result right behind the call it answers, in the order of the calls;
 * calls without a result and results without a call are left out.
 */
export function paired(messages: readonly Message[]): Message[] {
  const { answers } = match(messages)
  return messages.flatMap(({ role, parts }): Message[] => {
    if (role === 'tool') return []
    if (role !== 'assistant') return [{ role, parts }]
    const kept = parts.filter((part) => part.type !== 'toolCall' || answers.has(part))
    const results = kept.flatMap((part) => (part.type === 'toolCall' ? (answers.get(part) ?? []) : []))
    if (kept.length === 0) return []
    return results.length === 0 ? [{ role, parts: kept }] : [{ role, parts: kept }, { role: 'tool', parts: results }]
  })
}

/** Whether some result among the messages answers a call that is not among them. */
export function isAnsweringEarlier(messages: readonly Message[]): boolean {
  return match(messages).orphans.length > 0
}

/** Throws `invalid_request` for a given result that answers no call before it. */
export function refuseOrphans(earlier: readonly Message[], given: readonly Message[]): void {
  const theirs = new Set<Part>(given.flatMap(({ parts }) => parts))
  const orphan = match([...earlier, ...given]).orphans.find((result) => theirs.has(result))
  if (!orphan) return
  throw new RpcError('invalid_request', `messages: the tool result ${orphan.id} answers no earlier tool call`, { param: 'messages' })
}

/** Some models number their calls anew in each round, so a result belongs to the last call with its id. */
function match(messages: readonly Message[]): { readonly answers: Map<ToolCall, ToolResult>; readonly orphans: ToolResult[] } {
  const open = new Map<string, ToolCall>()
  const answers = new Map<ToolCall, ToolResult>()
  const orphans: ToolResult[] = []
  for (const part of messages.flatMap(({ parts }) => parts)) {
    if (part.type === 'toolCall') open.set(part.id, part)
    if (part.type !== 'toolResult') continue
    const call = open.get(part.id)
    if (call) answers.set(call, part)
    else orphans.push(part)
    open.delete(part.id)
  }
  return { answers, orphans }
}
