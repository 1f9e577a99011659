/** One gateway behind all spellings: what is changed through one is seen through every other, also by the process after a kill. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { JsonObject } from '@isopod/plugin-api'
import { gatewayFor, type StartedGateway } from '../main-job/started.ts'
import { serving, spelled, streaming } from '../../plugins/models/test/raw-provider.ts'
import { verifies } from '../requirements.ts'
import { ask, follow } from './story.ts'

const UNLIMITED = 'gateway: { limits: { requestsPerMinute: 0 } }\n'

/** What the user said in a conversation, as each family tells it. */
async function toldBy(gateway: StartedGateway, key: string): Promise<Readonly<Record<string, unknown>>> {
  const path = encodeURIComponent(key)
  const socket = await gateway.socket()
  const { payload } = await socket.call('session.get', { sessionKey: key })
  socket.close()
  const { body: named } = await ask(gateway, 'POST /api/rpc', { method: 'chat.history', params: { sessionKey: key } })
  return {
    lesson: said((await ask(gateway, `GET /v1/sessions/${path}`)).body),
    flat: said((await ask(gateway, `GET /api/v1/conversations/${path}`)).body),
    named: said(named['data'] as JsonObject),
    socket: said(payload as JsonObject),
  }
}

function said({ messages }: JsonObject): unknown {
  return (messages as JsonObject[]).filter(({ role }) => role === 'user').map(({ content }) => content)
}

function everywhere(words: readonly string[]) {
  return { lesson: words, flat: words, named: words, socket: words }
}

describe('a conversation', () => {
  it('goes on from one spelling to the next, and each sees all of it', async (t) => {
    const gateway = await gatewayFor(t, { config: UNLIMITED })
    const key = 'shared/by:all'
    await ask(gateway, 'POST /v1/agent/run', { message: 'One', sessionKey: key })
    await ask(gateway, 'POST /api/v1/message', { channel: 'api', message: 'Two', conversation_id: key })
    await ask(gateway, 'POST /api/endpoint', { method: 'chat.run', params: { message: 'Three', sessionKey: key, options: { stream: false } } })
    await follow(gateway, 'POST /v1/agent/run/stream', { message: 'Four', sessionKey: key })
    const socket = await gateway.socket()
    await socket.call('chat.run', { message: 'Five', sessionKey: key })
    socket.close()
    assert.deepEqual(await toldBy(gateway, key), everywhere(['One', 'Two', 'Three', 'Four', 'Five']))
  })

  it('of the completions endpoint is one like any other', async (t) => {
    const gateway = await gatewayFor(t, { config: UNLIMITED })
    await ask(gateway, 'POST /v1/chat/completions', { model: 'openclaw', user: 'anna', messages: [{ role: 'user', content: 'Hello' }] })
    const { body } = await ask(gateway, 'GET /api/v1/conversations?channel=openai')
    const [row] = body['conversations'] as JsonObject[]
    assert.deepEqual(await toldBy(gateway, String(row?.['conversation_id'])), everywhere(['Hello']))
  })

  it('that one spelling deleted is gone in all, after a kill too', async (t) => {
    const first = await gatewayFor(t, { config: UNLIMITED })
    for (const sessionKey of ['a', 'b', 'c', 'kept']) await ask(first, 'POST /v1/agent/run', { message: 'Hello', sessionKey })
    await ask(first, 'DELETE /v1/sessions/a')
    await ask(first, 'DELETE /api/v1/conversations/b')
    await ask(first, 'POST /api/rpc', { method: 'session.delete', params: { sessionKey: 'c' } })
    await first.kill('SIGKILL')
    const second = await gatewayFor(t, { home: first.home })
    for (const key of ['a', 'b', 'c']) {
      assert.equal((await ask(second, `GET /v1/sessions/${key}`)).status, 404)
      assert.equal((await ask(second, `GET /api/v1/conversations/${key}`)).status, 404)
      assert.equal((await ask(second, 'POST /api/rpc', { method: 'session.get', params: { sessionKey: key } })).status, 404)
    }
    assert.deepEqual(await toldBy(second, 'kept'), everywhere(['Hello']))
    assert.deepEqual(((await ask(second, 'GET /v1/sessions')).body['sessions'] as JsonObject[]).map(({ sessionKey }) => sessionKey), ['kept'])
  })

  it('that was cut by a kill is told as interrupted by the process after it, and goes on', async (t) => {
    const first = await gatewayFor(t, { config: UNLIMITED })
    const { body } = await ask(first, 'POST /api/v1/message', { channel: 'api', message: '/slow 100\nnever to be said', wait_for_response: false, conversation_id: 'cut' })
    // What was accepted is begun; it is kept a moment later.
    while ((await ask(first, 'GET /api/v1/conversations/cut')).status === 404) continue
    await first.kill('SIGKILL')
    const second = await gatewayFor(t, { home: first.home })
    const resumed = await ask(second, 'POST /api/rpc', { method: 'chat.resume', params: { runId: body['run_id'] } })
    assert.partialDeepStrictEqual(resumed.body['data'], { status: 'interrupted', sessionKey: 'cut' })
    await ask(second, 'POST /v1/agent/run', { message: 'Go on', sessionKey: 'cut' })
    assert.deepEqual(await toldBy(second, 'cut'), everywhere(['/slow 100\nnever to be said', 'Go on']))
  })
})

describe('usage', () => {
  it('is what the provider counted, in every spelling', async (t) => {
    const answer = streaming(spelled('openai-compatible', { text: 'Hi', finish: 'stop', usage: [7, 5] }))
    await serving(answer, async (url) => {
      const config = `${UNLIMITED}models: { default: up/stream, providers: { up: { api: openai-compatible, baseUrl: "${url}" } } }\n`
      const gateway = await gatewayFor(t, { config })
      const counted = { promptTokens: 7, completionTokens: 5, totalTokens: 12 }
      assert.deepEqual((await ask(gateway, 'POST /v1/agent/run', { message: 'Hello' })).body['usage'], counted)
      assert.deepEqual((await ask(gateway, 'POST /api/v1/message', { channel: 'api', message: 'Hello' })).body['usage'], counted)
      const { body } = await ask(gateway, 'POST /api/rpc', { method: 'chat.run', params: { message: 'Hello' } })
      assert.deepEqual((body['data'] as JsonObject)['usage'], counted)
      const completion = await ask(gateway, 'POST /v1/chat/completions', { model: 'openclaw', messages: [{ role: 'user', content: 'Hello' }] })
      assert.deepEqual(completion.body['usage'], { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 })
      await gateway.kill('SIGKILL')
    })
  })
})

const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  'rest-v1': ['POST /v1/agent/run', 'POST /v1/agent/run/stream', 'GET /v1/sessions', 'GET /v1/sessions/a', 'DELETE /v1/sessions/a', 'GET /v1/channels', 'GET /v1/channels/a/status'],
  'rest-api-v1': ['GET /api/v1/health', 'GET /api/v1/status', 'POST /api/v1/message', 'GET /api/v1/conversations', 'GET /api/v1/channels', 'GET /api/v1/config', 'PUT /api/v1/config', 'GET /api/v1/logs'],
  'rest-endpoint': ['POST /api/endpoint', 'POST /api/rpc'],
}

describe('a family', () => {
  it('whose plugin is switched off answers nothing, and the others go on', async (t) => {
    for (const off of Object.keys(FAMILIES)) {
      const gateway = await gatewayFor(t, { config: `${UNLIMITED}plugins: { ${off}: { enabled: false } }\n` })
      for (const [family, lines] of Object.entries(FAMILIES)) {
        for (const line of lines) {
          const { status, body } = await ask(gateway, line, line.startsWith('GET') ? undefined : {})
          const isNowhere = status === 404 && /There is nothing at/.test(JSON.stringify(body))
          assert.equal(isNowhere, family === off, `${line} without ${off}: ${status}`)
        }
      }
      await gateway.kill('SIGKILL')
    }
  })

  it('refuses in its own words a path, a verb, a type, a size and a body it cannot have', async (t) => {
    verifies('001:error', '002:error', '000:http:error')
    const gateway = await gatewayFor(t, { config: 'gateway: { limits: { requestsPerMinute: 0, bodyBytes: 2000 } }\n' })
    const shapes = {
      '/v1/agent/run': (body: JsonObject) => (body['error'] as JsonObject)['type'] === 'client_error',
      '/api/v1/message': (body: JsonObject, status: number) => body['status'] === status && typeof body['message'] === 'string' && typeof body['details'] === 'object',
      '/api/rpc': (body: JsonObject) => /^[A-Z_]+$/.test(String((body['error'] as JsonObject)['code'])),
      '/api/tools/invoke': (body: JsonObject) => /^(?:invalid_request|not_found)_error$/.test(String((body['error'] as JsonObject)['type'])),
    }
    for (const [path, fits] of Object.entries(shapes)) {
      const refused = async (expected: number, line: string, body?: unknown, headers?: Record<string, string>) => {
        const answer = await ask(gateway, line, body, headers)
        assert.equal(answer.status, expected, line)
        assert.ok(fits(answer.body, expected), `${line}: ${JSON.stringify(answer.body)}`)
        return answer
      }
      await refused(404, `GET ${path}/nowhere`)
      assert.equal((await refused(405, `DELETE ${path}`)).headers.get('allow'), 'POST')
      await refused(405, `OPTIONS ${path}`)
      await refused(415, `POST ${path}`, '{}', { 'content-type': 'application/x-www-form-urlencoded' })
      await refused(415, `POST ${path}`, '{}', { 'content-type': 'text/plain' })
      await refused(413, `POST ${path}`, { message: 'x'.repeat(3000) })
      await refused(400, `POST ${path}`, '{"half":')
      await refused(400, `POST ${path}`, [])
      await refused(400, `POST ${path}`, '')
    }
  })
})
