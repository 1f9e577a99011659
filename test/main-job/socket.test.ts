/** Conversations over the WebSocket, against a gateway as it starts without any config. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { JsonObject } from '@isopod/plugin-api'
import { verifies } from '../requirements.ts'
import { startGateway, type StartedGateway } from './started.ts'

const SLOW = '/slow 40\none two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen'

describe('the rpc dialect on a started gateway', () => {
  let gateway: StartedGateway

  before(async () => {
    gateway = await startGateway()
  })
  after(() => gateway.remove())

  it('greets, streams a run and replies', async () => {
    verifies('002:ws:bearer', '002:ws:connected', '002:chat.run', '002:chat.delta', '002:chat.done', '000:ws:root', '000:ws:reply', '000:ws:methods')
    const socket = await gateway.socket()
    const { data } = await socket.first((frame) => frame['type'] === 'connected')
    assert.ok((data as { capabilities: string[] }).capabilities.includes('chat'))
    const { ok, payload, error, id } = await socket.call('chat.run', { message: 'Hello, AI!', sessionKey: 'session-123', options: { thinking: 'medium', stream: true } })
    assert.deepEqual([ok, error, id], [true, null, 1])
    const { runId, sessionKey, response, usage } = payload as { runId: string; sessionKey: string; response: string; usage: JsonObject }
    assert.equal(sessionKey, 'session-123')
    const deltas = socket.events('chat.delta')
    assert.ok(deltas.length > 1 && deltas.every((delta) => delta['runId'] === runId && delta['sessionKey'] === 'session-123'))
    assert.equal(deltas.map((delta) => delta['delta']).join(''), response)
    assert.partialDeepStrictEqual(socket.events('chat.done'), [{ sessionKey: 'session-123', runId, usage }])
    socket.close()
  })

  it('runs the gateway\'s own tools and tells of it', async () => {
    verifies('002:tool.call', '002:tool.result')
    const socket = await gateway.socket()
    const { payload } = await socket.call('chat.run', { message: '/call calculator {"expression":"6*7"}' })
    const { runId, response } = payload as { runId: string; response: string }
    assert.partialDeepStrictEqual(socket.events('tool.call'), [{ runId, tool: 'calculator', params: { expression: '6*7' } }])
    assert.partialDeepStrictEqual(socket.events('tool.result'), [{ runId, tool: 'calculator' }])
    assert.match(response, /42/)
    socket.close()
  })

  it('aborts a run, and refuses its pending reply as cancelled', async () => {
    verifies('002:chat.abort')
    const socket = await gateway.socket()
    const pending = socket.call('chat.run', { message: SLOW })
    const first = await socket.first((frame) => frame['type'] === 'chat.delta')
    const { runId } = first['data'] as { runId: string }
    assert.partialDeepStrictEqual(await socket.call('chat.abort', { runId }), { ok: true, payload: { aborted: true } })
    assert.partialDeepStrictEqual(await pending, { ok: false, payload: null, error: { code: 'CANCELLED' } })
    await socket.first((frame) => frame['type'] === 'chat.error')
    assert.equal(socket.events('chat.done').length, 0)
    socket.close()
  })

  it('lets a client that lost its socket hear the rest of its run, each event once', async () => {
    const socket = await gateway.socket()
    socket.send('chat.run', { message: SLOW, sessionKey: 'lost' })
    const third = await socket.first((frame) => frame['type'] === 'chat.delta' && Number(frame['seq']) >= 4)
    const { runId } = third['data'] as { runId: string }
    const heard = socket.events('chat.delta').map((delta) => delta['delta']).join('')
    const after = Math.max(...socket.frames.map((frame) => Number(frame['seq'] ?? 0)))
    socket.lose()

    const again = await gateway.socket()
    assert.partialDeepStrictEqual(await again.call('chat.resume', { runId, after }), { ok: true, payload: { runId, sessionKey: 'lost', status: 'open' } })
    await again.first((frame) => frame['type'] === 'chat.done')
    const rest = again.events('chat.delta').map((delta) => delta['delta']).join('')
    const { payload } = await again.call('session.get', { sessionKey: 'lost' })
    const answer = (payload as { messages: { role: string; content: string }[] }).messages.find(({ role }) => role === 'assistant')
    assert.equal(heard + rest, answer?.content)
    const seqs = again.frames.flatMap((frame) => (typeof frame['seq'] === 'number' ? [frame['seq']] : []))
    assert.deepEqual(seqs, [...seqs.keys()].map((index) => after + 1 + index))
    again.close()
  })

  it('starts a run without waiting for it', async () => {
    const socket = await gateway.socket()
    const { payload } = await socket.call('chat.start', { message: 'Hello', sessionKey: 'started' })
    const { runId } = payload as { runId: string }
    const done = await socket.first((frame) => frame['type'] === 'chat.done')
    assert.equal((done['data'] as { runId: string }).runId, runId)
    socket.close()
  })

  it('keeps conversations, lists them and reads them back', async () => {
    verifies('002:session.list', '002:session.get')
    const socket = await gateway.socket()
    await socket.call('chat.run', { message: 'First', sessionKey: 'kept' })
    await socket.call('chat.run', { message: 'Second', sessionKey: 'kept' })
    const { payload: list } = await socket.call('session.list')
    const row = (list as { sessions: JsonObject[] }).sessions.find((one) => one['sessionKey'] === 'kept')
    assert.partialDeepStrictEqual(row, { agentId: 'default', channel: 'ws', messageCount: 4 })
    const { payload: session } = await socket.call('session.get', { sessionKey: 'kept' })
    const { messages } = session as { messages: { role: string; content: string }[] }
    assert.deepEqual(messages.map(({ role }) => role), ['user', 'assistant', 'user', 'assistant'])
    assert.equal(messages[2]?.content, 'Second')
    socket.close()
  })

  it('spells every refusal as the documents do', async () => {
    verifies('000:code:invalid-request', '000:code:method-not-found', '002:error:session-key')
    const socket = await gateway.socket()
    assert.partialDeepStrictEqual(await socket.call('no.such'), { ok: false, payload: null, error: { code: 'METHOD_NOT_FOUND' } })
    assert.partialDeepStrictEqual(await socket.call('chat.abort', {}), { ok: false, error: { code: 'INVALID_REQUEST' } })
    assert.partialDeepStrictEqual(await socket.call('session.get', { sessionKey: 'a\nb' }), { ok: false, error: { code: 'INVALID_REQUEST', message: 'Invalid session key' } })
    socket.close()
  })

  it('tells the status', async () => {
    verifies('002:system.status', '002:status')
    const socket = await gateway.socket()
    const { payload } = await socket.call('system.status')
    const http = (await (await gateway.fetch('/status')).json()) as JsonObject
    for (const status of [payload as JsonObject, http]) {
      assert.partialDeepStrictEqual(status, { status: 'ok', gateway: { port: Number(new URL(gateway.url).port), bind: '127.0.0.1', auth: 'token' }, channels: {} })
      assert.equal(typeof status['uptime'], 'number')
    }
    socket.close()
  })
})
