/**
 * The offline model: no network, no key, always the same answer to the same words. It says first that it is no language model,
 * repeats what it was told, and carries out commands that stand on lines of their own in the last user message, so that tools,
 * approvals, streams, aborts and failures can all be tried before there is a key. Its tokens are words.
 */
import type { Context, FinishReason, Json, Message, ModelPart, ModelRequest, RpcError } from '@isopod/plugin-api'
import { commandOf, type ToolWish } from './command.ts'
import { stopReason } from './stop-reason.ts'

const HONESTY = 'I am the offline model, not a language model.'
/** Longer messages are repeated in part: an echo of ten megabytes helps nobody. */
const ECHO_LENGTH = 4000

/** What the last message asks for. */
interface Plan {
  readonly text: string
  readonly calls: readonly ToolWish[]
  /** Milliseconds between words. */
  readonly pauseMs: number
  readonly fail?: RpcError
}

export async function* offline({ request }: { readonly request: ModelRequest }, ctx: Context): AsyncGenerator<ModelPart> {
  const plan = planOf(request)
  if (plan.fail) throw plan.fail
  const words = plan.text.match(/\S+\s*/g) ?? []
  const told = words.slice(0, request.sampling?.maxTokens ?? words.length)
  for (const [index, text] of told.entries()) {
    if (index > 0 && plan.pauseMs > 0) await pause(plan.pauseMs, ctx.signal)
    if (ctx.signal.aborted) throw stopReason(ctx.signal)
    yield { type: 'text', text }
  }
  const isCut = told.length < words.length
  const earlier = request.messages.flatMap(({ parts }) => parts).filter(({ type }) => type === 'toolCall').length
  const calls = isCut ? [] : plan.calls
  for (const [index, call] of calls.entries()) yield { type: 'toolCall', id: `call_${earlier + index + 1}`, ...call }
  const reason: FinishReason = isCut ? 'length' : calls.length > 0 ? 'tool_calls' : 'stop'
  const completionTokens = Math.max(1, told.length + wordsIn(calls.map(({ args }) => args)))
  const promptTokens = Math.max(1, wordsIn(request.messages.flatMap(({ parts }) => parts.map(said))))
  yield { type: 'finish', reason, usage: { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens } }
}

function planOf(request: ModelRequest): Plan {
  const last = request.messages.at(-1)
  if (last?.role === 'tool') return { text: spoken(resultsOf(request.messages), request), calls: [], pauseMs: 0 }
  const message = request.messages.findLast(({ role }) => role === 'user')
  const lines = message ? textOf(message).split(/\r?\n/) : []
  const tools = request.toolChoice === 'none' ? [] : (request.tools ?? [])
  const commands = lines.map((line) => commandOf(line, tools))
  const plain = lines.filter((_line, index) => commands[index] === undefined).join('\n')
  const found = commands.filter((command) => command !== undefined)
  const calls = found.flatMap(({ call }) => call ?? [])
  const remarks = [...found.flatMap(({ remark }) => remark ?? []), ...echo(plain.trim(), message)]
  // A message of calls alone is answered with their results, and the honest words come with those.
  const text = calls.length > 0 && remarks.length === 0 ? '' : spoken([HONESTY, ...remarks].join(' '), request)
  const fail = found.find((command) => command.fail)?.fail
  return {
    text,
    calls,
    pauseMs: Math.max(0, ...found.map(({ pauseMs }) => pauseMs ?? 0)),
    ...(fail && { fail }),
  }
}

/** As JSON, where the answer must be that. */
function spoken(text: string, { sampling }: ModelRequest): string {
  return sampling?.json ? JSON.stringify({ model: 'isopod/offline', text }) : text
}

function echo(plain: string, message: Message | undefined): readonly string[] {
  const attached = message?.parts.filter(({ type }) => type === 'image' || type === 'file').length ?? 0
  return [
    ...(plain === '' ? [] : [`You said: ${shortened(plain)}`]),
    ...(attached > 0 ? [`(with ${attached} attached)`] : []),
    ...(plain === '' && attached === 0 && message === undefined ? ['You said nothing.'] : []),
  ]
}

/** The results of the tools that just ran. */
function resultsOf(messages: readonly Message[]): string {
  const start = messages.findLastIndex(({ role }) => role !== 'tool') + 1
  const results = messages.slice(start).flatMap(({ parts }) => parts).filter((part) => part.type === 'toolResult')
  const told = results.map(({ name, result, isError }) => `${name} ${isError ? 'failed with' : 'answered'} ${shortened(asText(result))}`)
  return `${HONESTY} ${told.join('; ')}`
}

function textOf({ parts }: Message): string {
  return parts.flatMap((part) => (part.type === 'text' ? part.text : [])).join('\n')
}

function shortened(text: string): string {
  // Half of a character that takes two units would be left by the cut; it becomes a replacement character.
  return text.length <= ECHO_LENGTH ? text : `${text.slice(0, ECHO_LENGTH).toWellFormed()}... (${text.length - ECHO_LENGTH} more)`
}

function asText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function said(part: Message['parts'][number]): Json {
  if (part.type === 'text') return part.text
  return part.type === 'toolCall' ? part.args : part.type === 'toolResult' ? part.result : part.type
}

function wordsIn(values: readonly Json[]): number {
  return values.reduce<number>((sum, value) => sum + (asText(value).match(/\S+/g)?.length ?? 0), 0)
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer)
      reject(stopReason(signal))
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', end)
      resolve()
    }, ms)
    signal.addEventListener('abort', end, { once: true })
    if (signal.aborted) end()
  })
}
