/** Methods by their names over HTTP, on a whole gateway with the offline model. */
import { after, before, describe, test } from 'node:test'
import assert from 'node:assert/strict'
import type { JsonObject } from '@isopod/plugin-api'
import { testGateway, type TestGateway } from '@isopod/testing'

describe('a call by name', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await testGateway({ plugins: ['rest-endpoint', 'system', 'chat', 'models', 'sessions', 'tools'] })
  })
  after(() => gateway.close())

  const call = async (body: unknown, path = '/api/rpc') => {
    const reply = await gateway.fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    return { status: reply.status, body: (await reply.json()) as JsonObject }
  }
  const codeOf = ({ body }: { readonly body: JsonObject }) => (body['error'] as JsonObject)['code']

  test('is answered with what the method answers, on both URLs', async () => {
    for (const path of ['/api/rpc', '/api/endpoint']) {
      const { status, body } = await call({ method: 'system.ping' }, path)
      assert.deepEqual([status, Object.keys(body), body['ok']], [200, ['ok', 'data'], true])
      assert.equal((body['data'] as JsonObject)['pong'], true)
    }
  })

  test('has its id back as it came', async () => {
    for (const id of [7, 'seven', 0, '']) assert.equal((await call({ id, method: 'system.ping' })).body['id'], id)
  })

  test('of no method there is, is 404 in upper case', async () => {
    const answer = await call({ method: 'example' })
    assert.deepEqual([answer.status, codeOf(answer)], [404, 'METHOD_NOT_FOUND'])
  })

  test('of an internal method finds none', async () => {
    assert.equal(codeOf(await call({ method: 'session.begin' })), 'METHOD_NOT_FOUND')
  })

  test('that is not one says which field is wrong', async () => {
    const wrong: readonly (readonly [unknown, string | undefined])[] = [
      [[], undefined],
      [{}, 'method'],
      [{ method: 5 }, 'method'],
      [{ method: 'system.ping', params: [] }, 'params'],
      [{ method: 'system.ping', id: {} }, 'id'],
      [{ method: 'chat.run', params: { message: 'Hi', options: { thinking: 'deep' } } }, 'options.thinking'],
      [{ method: 'chat.run', params: { message: 'Hi', options: { speed: 1 } } }, 'options.speed'],
      [{ method: 'chat.run', params: { message: 'Hi', options: 'fast' } }, 'options'],
      [{ method: 'chat.run', params: { message: 'Hi', sampling: 'hot', options: { thinking: 'low' } } }, 'sampling'],
      [{ method: 'session.get', params: { sessionKey: '' } }, 'sessionKey'],
    ]
    for (const [body, param] of wrong) {
      const answer = await call(body)
      assert.deepEqual([answer.status, codeOf(answer), (answer.body['error'] as JsonObject)['param']], [400, 'INVALID_REQUEST', param], JSON.stringify(body))
    }
  })

  test('takes the options of a chat as the rpc dialect does', async () => {
    const params = { message: 'Hello', sessionKey: 'by-name', options: { thinking: 'low', stream: false, model: 'gpt-4' } }
    const { status, body } = await call({ method: 'chat.run', params })
    assert.equal(status, 200)
    assert.partialDeepStrictEqual(body['data'], { sessionKey: 'by-name', model: 'gpt-4', finishReason: 'stop' })
    assert.match(String((body['data'] as JsonObject)['response']), /You said: Hello/)
  })

  test('that is started goes on after its answer, and is told of later', async () => {
    const { body } = await call({ method: 'chat.start', params: { message: 'Hello' } })
    const { runId } = body['data'] as { runId: string }
    for (;;) {
      const { data } = (await call({ method: 'chat.resume', params: { runId } })).body as { data: { status: string; response?: string } }
      if (data.status === 'open') continue
      assert.deepEqual([data.status, /You said: Hello/.test(data.response ?? '')], ['done', true])
      return
    }
  })
})
