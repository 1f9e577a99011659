/**
 * The documents' own examples on a WebSocket, sent as they stand, against a gateway as it starts without any config: the typed
 * messages of 003, the first frame of 001, and what they and the rpc dialect see of each other's work.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, afterEach, before, describe, it } from 'node:test'
import { WebSocket } from 'ws'
import type { JsonObject } from '@isopod/plugin-api'
import { verifies } from '../requirements.ts'
import { RpcSocket, startGateway, type StartedGateway } from './started.ts'

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

let gateway: StartedGateway
const open: WebSocket[] = []

before(async () => {
  gateway = await startGateway()
})
after(() => gateway.remove())
afterEach(() => {
  for (const socket of open.splice(0)) socket.terminate()
})

/** A socket that speaks whatever it is sent. */
interface Talk extends RpcSocket {
  say(frame: JsonObject): void
}

async function talk(path: string, subprotocol: string[] = []): Promise<Talk> {
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}${path}`, subprotocol)
  open.push(socket)
  const heard = new RpcSocket(socket)
  await once(socket, 'open')
  return Object.assign(heard, { say: (frame: JsonObject) => socket.send(JSON.stringify(frame)) })
}

const typed = () => talk(`?token=${gateway.token}`)
const payloadOf = (frame: JsonObject) => frame['payload'] as JsonObject
const ofType = (type: string) => (frame: JsonObject) => frame['type'] === type

describe('the typed messages of the documents', () => {
  it('chat is answered by a response under its id, with the time', async () => {
    verifies('003:chat', '003:format', '003:id', '003:timestamp', '003:response', '003:auth:query')
    const socket = await typed()
    socket.say({
      type: 'chat', id: 'msg-001',
      payload: { text: 'What files are in my home directory?', context: {}, options: { model: 'claude-opus-4-6', no_memory: false } },
    })
    const reply = await socket.first(ofType('response'))
    assert.deepEqual(Object.keys(reply).toSorted(), ['id', 'payload', 'timestamp', 'type'])
    assert.equal(reply['id'], 'msg-001')
    assert.match(String(reply['timestamp']), ISO)
    const { text, tool_calls: calls, tokens_used: tokens, ...rest } = payloadOf(reply)
    assert.match(String(text), /What files are in my home directory\?/)
    assert.deepEqual([calls, rest], [[], {}])
    assert.ok(Number(tokens) > 0)
  })

  it('status is answered by the status', async () => {
    verifies('003:status')
    const socket = await typed()
    socket.say({ type: 'status', payload: {} })
    const reply = await socket.first(ofType('status'))
    assert.partialDeepStrictEqual(payloadOf(reply), { status: 'ok', gateway: { bind: '127.0.0.1', auth: 'token' } })
    assert.equal('id' in reply, false)
    assert.match(String(reply['timestamp']), ISO)
  })

  it('a tool at work is told with its arguments, its output and how it went', async () => {
    verifies('003:tool-call')
    const socket = await typed()
    socket.say({ type: 'chat', id: 1, payload: { text: '/call calculator {"expression":"6*7"}' } })
    await socket.first(ofType('response'))
    socket.say({ type: 'chat', id: 2, payload: { text: '/call calculator {"expression":"6*"}' } })
    await socket.first(({ id }) => id === 2)
    const told = socket.frames.filter(({ type }) => type === 'tool_call' || type === 'tool_result')
    assert.partialDeepStrictEqual(told, [
      { type: 'tool_call', payload: { tool: 'calculator', args: { expression: '6*7' }, status: 'executing' } },
      { type: 'tool_result', payload: { tool: 'calculator', exit_code: 0 } },
      { type: 'tool_call', payload: { tool: 'calculator', args: { expression: '6*' }, status: 'executing' } },
      { type: 'tool_result', payload: { tool: 'calculator', exit_code: 1 } },
    ])
    assert.match(String(payloadOf(told[1] ?? {})['output']), /42/)
    assert.ok(told.every(({ payload, timestamp }) => ISO.test(String(timestamp)) && (!('output' in (payload as JsonObject)) || typeof (payload as JsonObject)['output'] === 'string')))
  })

  it('without a credential the answer is AUTH_REQUIRED, in the words of the documents', async () => {
    verifies('003:error')
    const socket = await talk('/')
    for (const message of [{ type: 'status', payload: {} }, { type: 'chat', payload: { text: 'Hi' } }, { type: 'chat', payload: 5 }]) {
      socket.frames.length = 0
      socket.say(message)
      const reply = await socket.first(ofType('error'))
      assert.equal(payloadOf(reply)['code'], 'AUTH_REQUIRED')
      assert.match(String(reply['timestamp']), ISO)
    }
    socket.frames.length = 0
    socket.say({ type: 'status', payload: {} })
    assert.deepEqual(payloadOf(await socket.first(ofType('error'))), { code: 'AUTH_REQUIRED', message: 'Authentication required for this operation' })
  })

  it('a context is kept beside the message and names its session; a socket is one conversation', async () => {
    const socket = await typed()
    socket.say({ type: 'chat', id: 1, payload: { text: 'One', context: { cwd: '/home', depth: 2 } } })
    await socket.first(({ id }) => id === 1)
    socket.say({ type: 'chat', id: 2, payload: { text: 'Two', options: { no_memory: true } } })
    await socket.first(({ id }) => id === 2)
    const rpc = await gateway.socket()
    const { payload } = await rpc.call('session.list', { limit: 1 })
    const [row] = (payload as { sessions: { sessionKey: string; channel: string }[] }).sessions
    assert.match(row?.sessionKey ?? '', /^ws:/)
    const { payload: session } = await rpc.call('session.get', { sessionKey: row?.sessionKey ?? '' })
    const users = (session as { messages: JsonObject[] }).messages.filter(({ role }) => role === 'user')
    assert.deepEqual(users.map(({ content, metadata }) => [content, metadata]), [['One', { cwd: '/home', depth: '2' }], ['Two', { no_memory: 'true' }]])
    rpc.close()
  })
})

describe('the first frame of the documents', () => {
  it('authenticates on /ws, and what is asked then is answered by responses with content', async () => {
    verifies('001:ws:auth', '001:ws:response')
    const socket = await talk('/ws')
    socket.say({ type: 'auth', token: gateway.token })
    const connected = await socket.first(ofType('connected'))
    assert.ok((connected['data'] as { capabilities: string[] }).capabilities.includes('chat'))
    socket.say({ type: 'chat', id: 'a', payload: { text: 'Hello' } })
    const first = await socket.first(({ id }) => id === 'a')
    socket.say({ method: 'chat.run', id: 2, params: { message: 'Hello again', sessionKey: 'session-simple', options: { thinking: 'medium', stream: true } } })
    const second = await socket.first(({ id }) => id === 2)
    for (const reply of [first, second]) {
      assert.equal(reply['type'], 'response')
      assert.equal(reply['content'], payloadOf(reply)['response'])
      assert.match(String(reply['content']), /Hello/)
    }
    socket.say({ method: 'session.get', id: 3, params: { sessionKey: 'session-simple' } })
    const session = await socket.first(({ id }) => id === 3)
    assert.deepEqual(JSON.parse(String(session['content'])), session['payload'])
    assert.deepEqual(socket.frames.map(({ type }) => type), ['connected', 'response', 'response', 'response'])
  })

  it('with a wrong token gets an error, and the socket is closed with 1008', async () => {
    const socket = await talk('/ws')
    socket.say({ type: 'auth', token: 'YOUR_TOKEN' })
    assert.equal(await socket.closed, 1008)
    assert.partialDeepStrictEqual(socket.frames, [{ type: 'error', payload: { code: 'AUTH_REQUIRED' } }])
  })

  it('is not needed where the upgrade carried the credential', async () => {
    const socket = await talk(`/ws?token=${gateway.token}`, ['isopod.simple.v1'])
    socket.say({ type: 'chat', id: 1, payload: { text: 'Hello' } })
    assert.match(String((await socket.first(ofType('response')))['content']), /Hello/)
  })
})

describe('the dialects', () => {
  it('speak of the same sessions', async () => {
    const [rpc, other, simple] = [await gateway.socket(), await typed(), await talk('/ws')]
    await rpc.call('chat.run', { message: 'Hello, AI!', sessionKey: 'session-shared' })
    other.say({ type: 'chat', id: 1, payload: { text: 'And again', context: { sessionKey: 'session-shared' } } })
    await other.first(({ id }) => id === 1)
    simple.say({ type: 'auth', token: gateway.token })
    simple.say({ method: 'session.get', id: 2, params: { sessionKey: 'session-shared' } })
    const { messages } = payloadOf(await simple.first(({ id }) => id === 2)) as unknown as { messages: { role: string; content: string }[] }
    assert.deepEqual(messages.filter(({ role }) => role === 'user').map(({ content }) => content), ['Hello, AI!', 'And again'])
    rpc.close()
  })

  it('tell a client of the native protocol what to speak, and close with 1008', async () => {
    const socket = await talk('/', ['openclaw.v4'])
    socket.say({ type: 'req', id: '1', method: 'connect', params: { minProtocol: 4, maxProtocol: 4, auth: { token: gateway.token } } })
    assert.equal(await socket.closed, 1008)
    assert.partialDeepStrictEqual(socket.frames, [{ type: 'res', id: '1', ok: false, error: { code: 'UNAVAILABLE', retryable: false } }])
  })
})
