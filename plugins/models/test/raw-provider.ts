/**
 * A provider that sends exactly the bytes a test wants, over loopback: for everything a well-behaved mock would never do.
 * Also how each API spells a stream.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export const APIS = ['openai', 'anthropic', 'openai-compatible'] as const

export type Api = (typeof APIS)[number]

/** Serves for as long as `use` runs, which is given the address, and answers what it does. */
export async function serving<Answer>(answer: RequestListener, use: (url: string) => Promise<Answer>): Promise<Answer> {
  const server = createServer(answer)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  try {
    return await use(`http://127.0.0.1:${port}/v1`)
  } finally {
    server.closeAllConnections()
    await new Promise((closed) => void server.close(closed))
  }
}

/** Answers every request with one stream of these bytes, in chunks of this many, each a write of its own. */
export function streaming(bytes: Buffer, chunkBytes = bytes.length): RequestListener {
  return (request: IncomingMessage, response: ServerResponse) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const next = (at: number): void => void (at < bytes.length ? response.write(bytes.subarray(at, at + chunkBytes), () => next(at + chunkBytes)) : response.end())
    next(0)
  }
}

export interface Script {
  readonly text?: string
  readonly call?: { readonly name: string; readonly args: string }
  /** Absent: the stream ends without saying so. */
  readonly finish?: 'stop' | 'length' | 'tools'
  readonly usage?: readonly [number, number]
}

/** The stream in which an API would say this. */
export function spelled(api: Api, script: Script): Buffer {
  return Buffer.from(api === 'anthropic' ? messages(script) : completions(script))
}

function completions({ text, call, finish, usage }: Script): string {
  const reason = { stop: 'stop', length: 'length', tools: 'tool_calls' }
  const deltas = [
    ...Array.from(text ?? '').map((content) => ({ content })),
    ...(call ? [{ tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: call.name, arguments: call.args } }] }] : []),
  ]
  const chunk = (choice: object) => ({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, ...choice }] })
  const frames: object[] = deltas.map((delta) => chunk({ delta, finish_reason: null }))
  if (finish) frames.push(chunk({ delta: {}, finish_reason: reason[finish] }))
  if (usage) frames.push({ ...chunk({}), choices: [], usage: { prompt_tokens: usage[0], completion_tokens: usage[1], total_tokens: usage[0] + usage[1] } })
  return [...frames.map((frame) => `data: ${JSON.stringify(frame)}\n\n`), ...(finish ? ['data: [DONE]\n\n'] : [])].join('')
}

function messages({ text, call, finish, usage = [0, 0] }: Script): string {
  const reason = { stop: 'end_turn', length: 'max_tokens', tools: 'tool_use' }
  const empty = { id: 'm', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null }
  const frames: object[] = [{ type: 'message_start', message: { ...empty, usage: { input_tokens: usage[0], output_tokens: 0 } } }]
  if (text !== undefined) {
    frames.push({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } })
    for (const letter of text) frames.push({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: letter } })
    frames.push({ type: 'content_block_stop', index: 0 })
  }
  if (call) {
    frames.push({ type: 'content_block_start', index: 1, content_block: { type: 'tool_use', id: 'call_a', name: call.name, input: {} } })
    frames.push({ type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: call.args } })
    frames.push({ type: 'content_block_stop', index: 1 })
  }
  const delta = finish && { stop_reason: reason[finish], stop_sequence: null }
  if (delta) frames.push({ type: 'message_delta', delta, usage: { output_tokens: usage[1] } }, { type: 'message_stop' })
  return frames.map((frame) => `event: ${(frame as { type: string }).type}\ndata: ${JSON.stringify(frame)}\n\n`).join('')
}
