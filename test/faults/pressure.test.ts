/** A gateway with little memory, and clients who ask for more than there is: it refuses, or it ends and loses nothing. */
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { gatewayFor, type StartedGateway } from '../main-job/started.ts'

const UNLIMITED = 'gateway: { limits: { requestsPerMinute: 0, callsPerMinute: 0, connections: 0 } }\n'
const MIB = 1024 * 1024

function gatewayWith(test: TestContext, heapMb: number): Promise<StartedGateway> {
  return gatewayFor(test, { config: UNLIMITED, env: { NODE_OPTIONS: `--max-old-space-size=${heapMb}` } })
}

interface Answer {
  /** 0 where the connection was lost. */
  readonly status: number
  readonly text: string
}

async function say(gateway: StartedGateway, user: string, content: string): Promise<Answer> {
  const body = JSON.stringify({ model: 'openclaw', user, messages: [{ role: 'user', content }] })
  try {
    const response = await gateway.fetch('/v1/chat/completions', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    return { status: response.status, text: await response.text() }
  } catch (thrown) {
    return { status: 0, text: String(thrown) }
  }
}

/** What users have said, in all sessions: the beginning of each. */
async function kept(gateway: StartedGateway): Promise<string[]> {
  const socket = await gateway.socket()
  const { payload } = await socket.call('session.list', { limit: 1_000 })
  const said: string[] = []
  for (const { sessionKey } of (payload as unknown as { sessions: { sessionKey: string }[] }).sessions) {
    const reply = await socket.call('session.get', { sessionKey, limit: 100 })
    const { messages } = reply['payload'] as unknown as { messages: { role: string; content: string }[] }
    said.push(...messages.filter(({ role }) => role === 'user').map(({ content }) => content.slice(0, content.indexOf(' '))))
  }
  return said
}

describe('a gateway with a small heap', () => {
  it('refuses large bodies beyond its room, works on those it took, and takes more when they are done', async (test) => {
    const gateway = await gatewayWith(test, 256)
    const large = 'x'.repeat(9 * MIB)
    const answers = await Promise.all(Array.from({ length: 24 }, (_, at) => say(gateway, `user-${at}`, `large-${at} ${large}`)))
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200, 503]))
    for (const { text } of answers.filter(({ status }) => status === 503)) assert.match(text, /holds as many large bodies as its memory has room for: try again in a moment/)
    assert.equal((await say(gateway, 'user-0', `again ${large}`)).status, 200)
    assert.equal((await gateway.fetch('/readyz')).status, 200)
  })

  it('holds a thousand open runs of many sockets at once, and ends them when they are aborted', async (test) => {
    const gateway = await gatewayWith(test, 128)
    const sockets = await Promise.all(Array.from({ length: 10 }, () => gateway.socket()))
    const [first] = sockets
    assert.ok(first)
    const started = await Promise.all(Array.from({ length: 1_000 }, async (_, at) => {
      const reply = await (sockets[at % 10] ?? first).call('chat.start', { message: `/slow 60000\n${'many words '.repeat(100)}`, sessionKey: `open-${at}` })
      return (reply['payload'] as { runId: string } | null)?.runId
    }))
    assert.equal(new Set(started.filter((runId) => runId !== undefined)).size, 1_000)
    const aborted = await Promise.all(started.map((runId, at) => (sockets[at % 10] ?? first).call('chat.abort', { runId: String(runId) })))
    assert.deepEqual(aborted.filter(({ ok }) => ok !== true), [])
    assert.partialDeepStrictEqual(await first.call('system.ping'), { ok: true })
  })

  it('that ends because one body alone was more than its heap has lost nothing it acknowledged', async (test) => {
    const gateway = await gatewayWith(test, 64)
    const asked = Array.from({ length: 40 }, (_, at) => `small-${at}`)
    const answered: string[] = []
    for (const message of asked) if ((await say(gateway, 'ada', `${message} words`)).status === 200) answered.push(message)
    const costly = `costly ${'x '.repeat(4 * MIB)}`
    const { status } = await say(gateway, 'bob', costly)
    assert.equal(status, 0)
    assert.equal((await gateway.ended()).code, null)

    const next = await gatewayFor(test, { home: gateway.home })
    const said = await kept(next)
    assert.equal(answered.length, asked.length)
    assert.deepEqual(answered.filter((message) => said.filter((one) => one === message).length !== 1), [])
    assert.match(await next.log(), /did not end by itself/)
  })
})
