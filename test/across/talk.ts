/** The ways a client has of talking to the gateway, each in its own spelling, by one interface. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { WebSocket } from 'ws'
import type { JsonObject } from '@isopod/plugin-api'
import { spelled } from '../../plugins/models/test/raw-provider.ts'
import { RpcSocket, type StartedGateway } from '../main-job/started.ts'

export interface Provider {
  /** The config of a gateway whose default model this is. */
  readonly config: string
  /** What it was asked, oldest first. */
  readonly prompts: readonly Prompt[]
}

export interface Prompt {
  readonly model: string
  readonly reasoning_effort?: string
  readonly messages: readonly { readonly role: string; readonly content: unknown }[]
}

/** A provider in OpenAI's spelling that answers the same to everybody and counts the same, 7 and 5; it keeps what it was asked. */
export async function providerFor(test: TestContext): Promise<Provider> {
  const prompts: Prompt[] = []
  const answer = spelled('openai-compatible', { text: 'Noted.', finish: 'stop', usage: [7, 5] })
  const server = createServer(async (request, response) => {
    // The gateway's own spelling of a request is what the tests look at.
    prompts.push((await json(request)) as Prompt)
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(answer)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  test.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { prompts, config: `models: { default: up/model, providers: { up: { api: openai-compatible, baseUrl: "http://127.0.0.1:${port}/v1" } } }\n` }
}

/** What the model was shown of the conversation at its newest asking, without what the gateway put before it. */
export function shown({ prompts }: Provider): readonly string[] {
  const said = (content: unknown) => (typeof content === 'string' ? content : (content as { text?: string }[]).map(({ text }) => text ?? '').join(''))
  return (prompts.at(-1)?.messages ?? []).filter(({ role }) => role === 'user').map(({ content }) => said(content))
}

/** Sends typed messages, or simple ones after its credential, and waits for the answer of each. */
export async function frames(gateway: StartedGateway, dialect: 'typed' | 'simple', sent: readonly JsonObject[]): Promise<readonly JsonObject[]> {
  const [path, first] = dialect === 'typed' ? [`?token=${gateway.token}`, []] : ['/ws', [{ type: 'auth', token: gateway.token }]]
  const socket = new WebSocket(new URL(path, gateway.url.replace('http', 'ws')))
  const heard = new RpcSocket(socket)
  await once(socket, 'open')
  try {
    for (const frame of [...first, ...sent]) socket.send(JSON.stringify(frame))
    return await Promise.all(sent.map(({ id }) => heard.first((frame) => frame['id'] === id)))
  } finally {
    socket.terminate()
  }
}
