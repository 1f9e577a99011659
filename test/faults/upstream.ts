/** Providers nobody wishes for, on loopback: a server whose models are named after what they do wrong, in OpenAI's spelling. */
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import type { TestContext } from 'node:test'

/** Four bytes a character, so that a cut falls into most of them. */
export const WORDS = '🦀🐚🌊🪸🦐🐠'.repeat(4)
export const PIECE = 64 * 1024
/** More pieces than a gateway keeps events of a run. */
export const MANY = 5_000
export const HUNDRED_MEGABYTES = 100 * 1024 * 1024

export interface Upstream {
  /** The config of a gateway whose provider `p` this is. */
  readonly config: string
  /** Resolves once the gateway has asked for this model. */
  asked(model: string): Promise<unknown>
  /** Resolves once the gateway has closed the request for this model, and says how many bytes it had taken by then. */
  closed(model: string): Promise<number>
}

type Behaviour = (response: ServerResponse) => Promise<unknown> | void

const event = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
const done = `${event({}, 'stop')}data: [DONE]\n\n`
const argument = (text: string): object => ({ tool_calls: [{ index: 0, function: { arguments: text } }] })

const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  hang: () => {},
  stuck: (response) => void head(response).write(event({ content: 'Well' })),
  cut: (response) => void head(response).write(event({ content: 'Half an ans' }), () => response.socket?.destroy()),
  trickle: (response) => inPieces(head(response), Buffer.from(`${event({ content: WORDS })}${done}`), 1),
  halves: (response) => inPieces(head(response), Buffer.from(`${event({ content: WORDS })}${done}`), 2),
  text: (response) => much(response, { content: 'x'.repeat(PIECE) }),
  thinking: (response) => much(response, { reasoning_content: 'x'.repeat(PIECE) }),
  call: (response) => {
    head(response).write(event({ tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'time_now', arguments: '{"zone":"' } }] }))
    return much(response, argument('x'.repeat(PIECE)))
  },
  long: (response) => void head(response).end(`${event({ content: 'word ' }).repeat(MANY)}${done}`),
  calm: (response) => void head(response).end(`${event({ content: 'All is well.' })}${done}`),
}

/** Serves as long as the test runs. */
export async function upstreamFor(test: TestContext): Promise<Upstream> {
  const askings = promises<void>()
  const closings = promises<number>()
  const server = createServer(async (request, response) => {
    const { model } = (await json(request)) as { model: string }
    const { socket } = response
    response.once('close', () => closings(model).resolve(socket?.bytesWritten ?? 0))
    askings(model).resolve()
    await BEHAVIOURS[model]?.(response)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  test.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const models = Object.keys(BEHAVIOURS).join(', ')
  return {
    config: `models: { default: p/calm, providers: { p: { api: openai-compatible, baseUrl: "http://127.0.0.1:${port}/v1", models: [${models}] } } }\n`
      + 'gateway: { limits: { requestsPerMinute: 0, callsPerMinute: 0, connections: 0 } }\n',
    asked: (model) => askings(model).promise,
    closed: (model) => closings(model).promise,
  }
}

/** A promise for each name, made when it is first spoken of. */
function promises<Value>(): (name: string) => PromiseWithResolvers<Value> {
  const known = new Map<string, PromiseWithResolvers<Value>>()
  return (name) => {
    const one = known.get(name) ?? Promise.withResolvers<Value>()
    known.set(name, one)
    return one
  }
}

function head(response: ServerResponse): ServerResponse {
  return response.writeHead(200, { 'content-type': 'text/event-stream' })
}

/** Each a write of its own, the next when the last has gone. */
async function inPieces(response: ServerResponse, bytes: Buffer, size: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += size) await new Promise((sent) => response.write(bytes.subarray(at, at + size), sent))
  response.end()
}

/** A hundred megabytes of the same, as fast as they are taken. */
async function much(response: ServerResponse, delta: object): Promise<void> {
  if (!response.headersSent) head(response)
  const piece = event(delta)
  const closed = once(response, 'close')
  for (let sent = 0; sent < HUNDRED_MEGABYTES && !response.destroyed; sent += PIECE) {
    if (!response.write(piece)) await Promise.race([once(response, 'drain'), closed])
  }
  response.end(done)
}
