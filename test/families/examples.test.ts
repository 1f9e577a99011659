/** The HTTP examples of the documents, against a gateway as it is started: each gets the answer its document shows. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { after, before, describe, it } from 'node:test'
import type { JsonObject } from '@isopod/plugin-api'
import { verifies } from '../requirements.ts'
import { startGateway, type StartedGateway } from '../main-job/started.ts'
import { ask, follow } from './story.ts'

const WEATHER = fileURLToPath(new URL('../../fixtures/plugins/weather', import.meta.url))
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/

describe('an example of the documents', () => {
  let gateway: StartedGateway
  before(async () => {
    gateway = await startGateway({ config: `gateway: { limits: { requestsPerMinute: 0 } }\nplugins: { weather: { from: "${WEATHER}", trust: full } }\n` })
  })
  after(() => gateway.remove())

  it('calls a method by its name', async () => {
    verifies('000:endpoint', '000:http:success', '000:code:method-not-found')
    const unknown = await ask(gateway, 'POST /api/endpoint', { method: 'example' })
    assert.deepEqual([unknown.status, (unknown.body['error'] as JsonObject)['code']], [404, 'METHOD_NOT_FOUND'])
    const { status, body } = await ask(gateway, 'POST /api/endpoint', { method: 'system.status' })
    assert.deepEqual([status, body['ok']], [200, true])
    assert.equal((body['data'] as JsonObject)['status'], 'ok')
  })

  it('sends the agent a message and gets its answer', async () => {
    verifies('001:message')
    const { status, body } = await ask(gateway, 'POST /api/v1/message', { channel: 'api', message: 'What is the weather like tomorrow?' })
    assert.equal(status, 200)
    assert.match(String(body['content']), /What is the weather like tomorrow\?/)
    assert.deepEqual(Object.keys(body), ['content', 'conversation_id', 'run_id', 'usage'])
  })

  it('streams the answer to a message', async () => {
    verifies('001:message:stream')
    const frames = await follow(gateway, 'POST /api/v1/message', { channel: 'api', message: 'Write a poem' }, { accept: 'text/event-stream' })
    const done = frames.at(-1)
    assert.equal(done?.event, 'done')
    assert.equal(frames.filter(({ event }) => event === 'delta').map(({ data }) => data['delta']).join(''), done?.data['content'])
  })

  it('goes on with a conversation, does not wait, and waits only so long', async () => {
    verifies('001:message:conversation', '001:message:no-wait', '001:message:timeout')
    const first = await ask(gateway, 'POST /api/v1/message', { channel: 'api', message: 'One' })
    const id = first.body['conversation_id']
    const second = await ask(gateway, 'POST /api/v1/message', { channel: 'api', message: 'Two', conversation_id: id })
    assert.equal(second.body['conversation_id'], id)
    const accepted = await ask(gateway, 'POST /api/v1/message', { channel: 'api', message: 'Three', wait_for_response: false })
    assert.deepEqual([accepted.status, accepted.body['status']], [202, 'accepted'])
    const late = await ask(gateway, 'POST /api/v1/message', { channel: 'api', message: '/slow 20\nfour five', timeout_ms: 1 })
    assert.partialDeepStrictEqual(late, { status: 408, body: { error: 'timeout', status: 408 } })
    assert.equal(await ended(String((late.body['details'] as JsonObject)['run_id'])), 'done')
  })

  it('lists conversations, reads one and deletes it', async () => {
    verifies('001:conversations')
    await ask(gateway, 'POST /api/v1/message', { channel: 'api', message: 'Hello', conversation_id: 'listed' })
    const { body } = await ask(gateway, 'GET /api/v1/conversations')
    assert.ok((body['conversations'] as JsonObject[]).some((row) => row['conversation_id'] === 'listed'))
    assert.equal((await ask(gateway, 'GET /api/v1/conversations/listed')).body['messageCount'], 2)
    assert.deepEqual((await ask(gateway, 'DELETE /api/v1/conversations/listed')).body, { ok: true })
    assert.partialDeepStrictEqual(await ask(gateway, 'GET /api/v1/conversations/listed'), { status: 404, body: { error: 'not_found', status: 404 } })
  })

  it('runs an agent', async () => {
    verifies('002:agent.run')
    const { status, body } = await ask(gateway, 'POST /v1/agent/run', {
      message: 'Hello, AI!',
      sessionKey: 'session-123',
      agentId: 'default',
      options: { thinking: 'medium', model: 'anthropic/claude-3-5-sonnet' },
    })
    assert.equal(status, 200)
    assert.deepEqual(Object.keys(body), ['runId', 'sessionKey', 'response', 'usage'])
    assert.deepEqual([body['sessionKey'], Object.keys(body['usage'] as JsonObject)], ['session-123', ['promptTokens', 'completionTokens', 'totalTokens']])
    assert.match(String(body['response']), /Hello, AI!/)
  })

  it('streams a run of an agent', async () => {
    verifies('002:agent.stream')
    const frames = await follow(gateway, 'POST /v1/agent/run/stream', { message: 'Hello', sessionKey: 'session-123', stream: true })
    const runId = frames[0]?.data['runId']
    assert.deepEqual(frames.at(-1), { event: 'done', data: { runId, finishReason: 'stop' } })
    for (const { event, data } of frames.slice(0, -1)) assert.deepEqual([event, Object.keys(data), data['runId']], ['delta', ['delta', 'runId'], runId])
  })

  it('lists sessions, reads one and deletes it', async () => {
    verifies('002:sessions')
    await ask(gateway, 'POST /v1/agent/run', { message: 'Hello!', sessionKey: 'session-124' })
    const { body } = await ask(gateway, 'GET /v1/sessions')
    const row = (body['sessions'] as JsonObject[]).find(({ sessionKey }) => sessionKey === 'session-124')
    assert.deepEqual([row?.['agentId'], row?.['channel'], row?.['messageCount']], ['default', 'api', 2])
    assert.match(String(row?.['createdAt']), TIME)
    assert.match(String(row?.['updatedAt']), TIME)
    assert.equal(((await ask(gateway, 'GET /v1/sessions/session-124')).body['messages'] as JsonObject[]).length, 2)
    assert.deepEqual((await ask(gateway, 'DELETE /v1/sessions/session-124')).body, { ok: true })
    assert.equal((await ask(gateway, 'GET /v1/sessions/session-124')).status, 404)
  })

  it('lists channels, and says of one that is not there that it is not', async () => {
    const { status, body } = await ask(gateway, 'GET /v1/channels')
    assert.deepEqual([status, Array.isArray(body['channels'])], [200, true])
    for (const line of ['GET /v1/channels/nowhere/status', 'POST /v1/channels/nowhere/enable', 'POST /v1/channels/nowhere/disable']) {
      const refused = await ask(gateway, line)
      assert.deepEqual([refused.status, (refused.body['error'] as JsonObject)['type']], [404, 'client_error'], line)
    }
  })

  it('names an invalid session key', async () => {
    verifies('002:error', '002:error:session-key')
    const { status, body } = await ask(gateway, 'POST /v1/agent/run', { message: 'Hello', sessionKey: '' })
    assert.equal(status, 400)
    assert.deepEqual(body['error'], { message: 'Invalid session key', type: 'client_error', code: 'invalid_request', param: 'sessionKey' })
  })

  it('runs a tool', async () => {
    verifies('004:tools-invoke')
    const { status, body } = await ask(gateway, 'POST /api/tools/invoke', { tool: 'weather', params: { location: 'San Francisco' } })
    assert.deepEqual([status, body], [200, { ok: true, result: { temperature: 68, conditions: 'Partly cloudy' } }])
  })

  it('is told that its body is none, in the words of its document', async () => {
    verifies('004:error:400')
    for (const line of ['POST /v1/chat/completions', 'POST /api/tools/invoke', 'POST /v1/agent/run']) {
      const { status, body } = await ask(gateway, line, '{"half":')
      assert.equal(status, 400)
      assert.match((body['error'] as { message: string }).message, /^Invalid request body/)
    }
    assert.partialDeepStrictEqual((await ask(gateway, 'POST /api/v1/message', '{')).body, { error: 'bad_request', status: 400 })
  })

  it('may leave out the type of its body, as the lesson\'s do', async () => {
    const body = '{"message":"Hello, AI!","sessionKey":"session-125"}'
    const head = ['POST /v1/agent/run HTTP/1.1', 'Host: localhost:18789', `Authorization: Bearer ${gateway.token}`, `Content-Length: ${body.length}`, 'Connection: close']
    const { hostname, port } = new URL(gateway.url)
    const socket = connect(Number(port), hostname)
    let answer = ''
    socket.on('data', (chunk) => (answer += String(chunk)))
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
    await once(socket, 'close')
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[\s\S]*"sessionKey":"session-125"/)
  })

  /** How a run ended, once it has. */
  async function ended(runId: string): Promise<unknown> {
    for (;;) {
      const { body } = await ask(gateway, 'POST /api/rpc', { method: 'chat.resume', params: { runId } })
      const { status } = body['data'] as JsonObject
      if (status !== 'open') return status
    }
  }
})
