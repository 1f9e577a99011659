/** The dialect on a real connection, in this process and behind the wall. */
import { after, before, describe, test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import type { JsonObject } from '@isopod/plugin-api'
import { testGateway, type TestGateway, type TestSocket } from '@isopod/testing'

interface Failure {
  readonly code: string
  readonly param?: string
}

/** The first frame that fits, past or to come. */
async function heard(socket: TestSocket, fits: (frame: JsonObject) => boolean): Promise<JsonObject> {
  return (await socket.first(fits)) ?? assert.fail('the socket was closed')
}

/** What the socket hears for a request: its reply. */
async function asked(socket: TestSocket, frame: JsonObject & { readonly id: string | number }): Promise<JsonObject> {
  socket.send(frame)
  return heard(socket, ({ id }) => id === frame.id)
}

// A frame is what the dialect's own transcripts say it is; one that is not fails the assertion on what was read.
const dataOf = (frame: JsonObject) => frame['data'] as JsonObject
const errorOf = (frame: JsonObject) => frame['error'] as unknown as Failure

for (const wall of [false, { except: ['models'] }]) {
  describe(wall ? 'behind the wall' : 'in the gateway\'s process', () => {
    let gateway: TestGateway
    before(async () => {
      gateway = await testGateway({ plugins: ['dialect-rpc', 'system', 'chat', 'models', 'sessions', 'tools'], wall })
    })
    after(() => gateway.close())

    const open = async (t: TestContext, path: string, headers = {}): Promise<TestSocket> => {
      const socket = await gateway.connect(path, headers)
      t.after(() => socket.close())
      return socket
    }

    test('a socket with a credential is greeted, and its calls are answered under their ids', async (t) => {
      const socket = await open(t, '/', { 'sec-websocket-protocol': 'isopod.v1' })
      const { clientId, gatewayVersion, capabilities } = dataOf(await heard(socket, ({ type }) => type === 'connected'))
      assert.ok(clientId && gatewayVersion && Array.isArray(capabilities) && capabilities.includes('chat'))
      const reply = await asked(socket, { id: 1, method: 'system.ping' })
      assert.deepEqual([reply['ok'], reply['error']], [true, null])
    })

    test('the first frame is enough to tell the dialect', async (t) => {
      const socket = await open(t, '/')
      const reply = await asked(socket, { id: 'a', method: 'system.ping', params: {} })
      assert.equal(reply['ok'], true)
    })

    test('a run is streamed by number and answered', async (t) => {
      const socket = await open(t, '/ws')
      const params = { message: 'Hello, AI!', sessionKey: 'session-123', options: { thinking: 'medium', stream: true } }
      const { ok, payload } = await asked(socket, { method: 'chat.run', params, id: 1 })
      const { runId, response, sessionKey } = payload as { runId: string; response: string; sessionKey: string }
      assert.deepEqual([ok, sessionKey], [true, 'session-123'])
      const events = socket.frames.filter(({ type }) => typeof type === 'string' && type.startsWith('chat.'))
      const said = events.filter(({ type }) => type === 'chat.delta').map(({ data }) => (data as JsonObject)['delta']).join('')
      assert.equal(said, response)
      // Deltas that waited for the reader are joined, and carry the number of the last.
      const numbers = events.map(({ seq }) => Number(seq))
      assert.ok(numbers[0] === 1 && numbers.every((seq, index) => index === 0 || seq > (numbers[index - 1] ?? seq)), String(numbers))
      assert.ok(events.every(({ data }) => (data as JsonObject)['runId'] === runId))
      assert.equal(events.at(-1)?.['type'], 'chat.done')
    })

    test('without streaming there are no deltas', async (t) => {
      const socket = await open(t, '/')
      await asked(socket, { id: 1, method: 'chat.run', params: { message: 'Hello', options: { stream: false } } })
      assert.ok(socket.frames.some(({ type }) => type === 'chat.done'))
      assert.ok(!socket.frames.some(({ type }) => type === 'chat.delta'))
    })

    test('an aborted run says so, and its reply is CANCELLED', async (t) => {
      const socket = await open(t, '/')
      socket.send({ id: 1, method: 'chat.run', params: { message: '/slow 60000\none two three' } })
      const { runId } = dataOf(await heard(socket, ({ type }) => type === 'chat.delta'))
      assert.equal((await asked(socket, { id: 2, method: 'chat.abort', params: { runId } }))['ok'], true)
      assert.equal(errorOf(await heard(socket, ({ id }) => id === 1)).code, 'CANCELLED')
      assert.equal(errorOf(dataOf(await heard(socket, ({ type }) => type === 'chat.error'))).code, 'CANCELLED')
    })

    test('what is refused is refused by its code', async (t) => {
      const socket = await open(t, '/')
      assert.equal(errorOf(await asked(socket, { id: 1, method: 'example' })).code, 'METHOD_NOT_FOUND')
      const wrong = errorOf(await asked(socket, { id: 2, method: 'chat.run', params: { message: 'x', options: { thinking: 'huge' } } }))
      assert.deepEqual([wrong.code, wrong.param], ['INVALID_REQUEST', 'options.thinking'])
      assert.equal(errorOf(await asked(socket, { id: 3, method: 'tool.invoke', params: { tool: 'weather' } })).code, 'NOT_FOUND')
    })

    test('a socket without a credential shows one in a frame', async (t) => {
      const socket = await open(t, '/', { authorization: '', 'sec-websocket-protocol': 'isopod.v1' })
      const reply = await asked(socket, { id: 0, method: 'auth', params: { token: gateway.token } })
      assert.equal(reply['ok'], true)
      assert.ok(dataOf(await heard(socket, ({ type }) => type === 'connected'))['clientId'])
      assert.equal((await asked(socket, { id: 1, method: 'system.ping' }))['ok'], true)
    })

    test('any other frame before a credential is UNAUTHORIZED', async (t) => {
      const socket = await open(t, '/', { authorization: '', 'sec-websocket-protocol': 'isopod.v1' })
      const reply = await asked(socket, { id: 1, method: 'system.ping' })
      assert.equal(errorOf(reply).code, 'UNAUTHORIZED')
    })
  })
}
