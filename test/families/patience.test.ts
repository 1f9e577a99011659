/** What becomes of a run whose client has waited as long as a request may take, in every spelling that waits for runs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import OpenAI, { APIError } from 'openai'
import { TestClock, testGateway } from '@isopod/testing'

const MESSAGE = '/slow 60000\nword by word'
const PLUGINS = ['dialect-rpc', 'rest-v1', 'rest-api-v1', 'rest-endpoint', 'openai', 'channels', 'chat', 'models', 'sessions', 'system', 'tools']

test('a run goes on when its client has waited long enough, is taken up again, and ends when it is asked to', async (t) => {
  const clock = new TestClock()
  const gateway = await testGateway({ plugins: PLUGINS, clock, renewEvery: 0 })
  t.after(() => gateway.close())
  const { runs } = gateway.kernel.core.events
  const client = gateway.client()
  const socket = await gateway.connect()
  const post = async (path: string, body: object): Promise<unknown> => {
    const reply = await gateway.fetch(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
    return { status: reply.status, once: reply.headers.get('x-should-retry'), error: ((await reply.json()) as { error: unknown }).error }
  }
  const overSocket = (sessionKey: string): Promise<unknown> => {
    socket.send({ id: sessionKey, method: 'chat.run', params: { message: MESSAGE, sessionKey } })
    return socket.first(({ id }) => id === sessionKey)
  }
  const asked: Readonly<Record<string, (sessionKey: string) => Promise<unknown>>> = {
    agent: (sessionKey) => post('/v1/agent/run', { message: MESSAGE, sessionKey }),
    rpc: (sessionKey) => post('/api/rpc', { method: 'chat.run', params: { message: MESSAGE, sessionKey } }),
    socket: overSocket,
  }
  for (const [sessionKey, ask] of Object.entries(asked)) {
    const answer = ask(sessionKey)
    while (runs.open === 0) await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(300_000)
    const told = (await answer) as { error: { details: { runId: string } } }
    const isSocket = sessionKey === 'socket'
    assert.partialDeepStrictEqual(told, { ...(!isSocket && { status: 504, once: 'false' }), error: { details: { sessionKey } } })
    const { runId } = told.error.details
    assert.partialDeepStrictEqual(await client.call('chat.resume', { runId }), { runId, sessionKey, status: 'open' })
    await client.call('chat.abort', { runId })
    while (runs.open > 0) await new Promise((resolve) => setImmediate(resolve))
    assert.partialDeepStrictEqual(await client.call('chat.resume', { runId }), { runId, status: 'aborted' })
  }
})

test('the official client does not ask again for a run that goes on without it', async (t) => {
  const clock = new TestClock()
  const gateway = await testGateway({ plugins: PLUGINS, clock, renewEvery: 0 })
  t.after(() => gateway.close())
  const { runs } = gateway.kernel.core.events
  let requests = 0
  const fetch = (url: string | URL | Request, init?: RequestInit) => {
    requests += 1
    return gateway.fetch(new URL(String(url)).pathname, init)
  }
  const openai = new OpenAI({ apiKey: gateway.token, baseURL: 'http://127.0.0.1:18789/v1', maxRetries: 2, fetch })
  const asked = openai.chat.completions.create({ model: 'openclaw', messages: [{ role: 'user', content: MESSAGE }] })
  const failed = asked.catch((error: unknown) => error)
  while (runs.open === 0) await new Promise((resolve) => setImmediate(resolve))
  await clock.advance(300_000)
  const error = await failed
  assert.ok(error instanceof APIError && error.status === 504)
  assert.deepEqual([requests, runs.open], [1, 1])
  const { details } = error.error as { details: { runId: string } }
  assert.deepEqual(await gateway.client().call('chat.abort', { runId: details.runId }), { ok: true, aborted: true })
})
