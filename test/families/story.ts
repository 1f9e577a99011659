/** One request of a documented example, sent over a real connection as its client would send it, and the answer. */
import assert from 'node:assert/strict'
import type { JsonObject } from '@isopod/plugin-api'
import type { StartedGateway } from '../main-job/started.ts'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: JsonObject
}

export interface Frame {
  readonly event: string
  readonly data: JsonObject
}

export const JSON_TYPE = { 'content-type': 'application/json' }

/** `POST /path`, and so on. A body is sent as JSON. */
export async function ask(gateway: StartedGateway, line: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const reply = await send(gateway, line, body, headers)
  const text = await reply.text()
  return { status: reply.status, headers: reply.headers, body: (text === '' ? {} : JSON.parse(text)) as JsonObject }
}

/** The frames of a server-sent stream, whose end is awaited. */
export async function follow(gateway: StartedGateway, line: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<readonly Frame[]> {
  const reply = await send(gateway, line, body, headers)
  assert.equal(reply.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  return (await reply.text()).trim().split('\n\n').map((text) => {
    const [event = '', data = ''] = text.split('\n')
    return { event: event.replace('event: ', ''), data: JSON.parse(data.replace('data: ', '')) as JsonObject }
  })
}

function send(gateway: StartedGateway, line: string, body: unknown, headers: Readonly<Record<string, string>>): Promise<Response> {
  const [method = '', path = ''] = line.split(' ')
  if (body === undefined) return gateway.fetch(path, { method, headers })
  return gateway.fetch(path, { method, headers: { ...JSON_TYPE, ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) })
}
