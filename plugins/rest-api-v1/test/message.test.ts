/** Messages and conversations under `/api/v1`, on a whole gateway with the offline model. */
import { after, before, describe, test } from 'node:test'
import assert from 'node:assert/strict'
import type { GatewayEvent, JsonObject } from '@isopod/plugin-api'
import { testGateway, type TestGateway } from '@isopod/testing'

interface Frame {
  readonly event: string
  readonly data: JsonObject
}

const PLUGINS = ['rest-api-v1', 'chat', 'channels', 'models', 'sessions', 'system', 'tools']
/** Longer than any patience below, and short enough to be waited for. */
const SLOW = '/slow 20\none two three four'

describe('under /api/v1', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await testGateway({ plugins: PLUGINS })
  })
  after(() => gateway.close())

  const send = (body: unknown, headers: Record<string, string> = {}) =>
    gateway.fetch('/api/v1/message', { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) })
  const ask = async (body: object, headers?: Record<string, string>) => {
    const reply = await send({ channel: 'api', ...body }, headers)
    return { status: reply.status, body: (await reply.json()) as JsonObject }
  }
  const read = async (path: string, method = 'GET') => {
    const reply = await gateway.fetch(`/api/v1/${path}`, { method })
    return { status: reply.status, body: (await reply.json()) as JsonObject }
  }
  const stream = async (body: object): Promise<Frame[]> => {
    const reply = await send({ channel: 'api', ...body }, { accept: 'text/event-stream' })
    assert.equal(reply.headers.get('content-type'), 'text/event-stream; charset=utf-8')
    return (await reply.text()).trim().split('\n\n').map(frameOf)
  }
  const settled = async (runId: unknown): Promise<JsonObject> => {
    const client = gateway.client()
    const resume = async () => (await client.call('chat.resume', { runId: String(runId) })) as JsonObject
    const isOfRun = (event: GatewayEvent) => event.runId === runId
    if ((await resume())['status'] === 'open') await Promise.race(['chat.done', 'chat.error'].map((name) => client.heard(name, isOfRun)))
    return resume()
  }

  test('a message is answered with its text, its conversation, its run and its cost', async () => {
    const { status, body } = await ask({ message: 'Hello' })
    assert.equal(status, 200)
    assert.deepEqual(Object.keys(body), ['content', 'conversation_id', 'run_id', 'usage'])
    assert.match(String(body['content']), /You said: Hello/)
    assert.ok((body['usage'] as { totalTokens: number }).totalTokens > 0)
  })

  test('a conversation goes on under its id, and begins without one', async () => {
    const first = await ask({ message: 'First' })
    const id = String(first.body['conversation_id'])
    assert.equal((await ask({ message: 'Second', conversation_id: id })).body['conversation_id'], id)
    const { body } = await read(`conversations/${id}`)
    assert.deepEqual((body['messages'] as JsonObject[]).filter(({ role }) => role === 'user').map(({ content }) => content), ['First', 'Second'])
    assert.notEqual((await ask({ message: 'Other', conversation_id: null })).body['conversation_id'], id)
  })

  test('a conversation keeps the channel it came from', async () => {
    await ask({ message: 'Hello', channel: 'telegram', conversation_id: 'from-telegram' })
    assert.partialDeepStrictEqual((await read('conversations/from-telegram')).body, { conversation_id: 'from-telegram', channel: 'telegram', messageCount: 2 })
  })

  test('who does not wait is told which run to look for', async () => {
    const { status, body } = await ask({ message: SLOW, wait_for_response: false, conversation_id: 'not-waiting' }, { accept: 'text/event-stream' })
    assert.deepEqual([status, Object.keys(body)], [202, ['conversation_id', 'run_id', 'status']])
    assert.partialDeepStrictEqual(body, { conversation_id: 'not-waiting', status: 'accepted' })
    assert.equal((await settled(body['run_id']))['status'], 'done')
  })

  test('whose patience ends is told 408 and which run goes on, and it does', async () => {
    const { status, body } = await ask({ message: SLOW, timeout_ms: 1 })
    assert.deepEqual([status, body['error'], body['status'], Object.keys(body)], [408, 'timeout', 408, ['error', 'message', 'status', 'details']])
    const { run_id: runId, conversation_id: id } = body['details'] as JsonObject
    const state = await settled(runId)
    assert.deepEqual([state['status'], state['sessionKey']], ['done', id])
    assert.equal((await read(`conversations/${String(id)}`)).body['messageCount'], 2)
  })

  test('a stream that ends in impatience says so', async () => {
    const reply = await send({ channel: 'api', message: `${SLOW} ${'and on '.repeat(20)}`, timeout_ms: 200 }, { accept: 'text/event-stream' })
    const frames = (await reply.text()).trim().split('\n\n').map(frameOf)
    assert.equal(frames[0]?.event, 'delta')
    assert.partialDeepStrictEqual(frames.at(-1), { event: 'error', data: { error: 'timeout', status: 408 } })
    assert.equal((await settled((frames.at(-1)?.data['details'] as JsonObject | undefined)?.['run_id']))['status'], 'done')
  })

  test('a stream is deltas that make the answer, and then the answer', async () => {
    const frames = await stream({ message: 'Write a poem' })
    const done = frames.at(-1)
    const deltas = frames.slice(0, -1)
    assert.deepEqual([done?.event, Object.keys(done?.data ?? {})], ['done', ['content', 'conversation_id', 'run_id', 'usage']])
    assert.equal(deltas.map(({ data }) => data['delta']).join(''), done?.data['content'])
    for (const { event, data } of deltas) assert.deepEqual([event, data['run_id'], data['conversation_id']], ['delta', done?.data['run_id'], done?.data['conversation_id']])
  })

  test('a failure before the first word of a stream has its status', async () => {
    const reply = await send({ channel: 'api', message: '/fail unavailable' }, { accept: 'text/event-stream' })
    assert.equal(reply.status, 503)
    assert.partialDeepStrictEqual(await reply.json(), { error: 'service_unavailable', status: 503 })
    const wrong = await send({ channel: 'api', message: 'Hi', conversation_id: 'a\nb' }, { accept: 'text/event-stream' })
    assert.deepEqual(await wrong.json(), { error: 'bad_request', message: 'Invalid session key', status: 400, details: { param: 'conversation_id' } })
  })

  test('a client that only takes JSON, or refuses events, gets JSON', async () => {
    for (const accept of ['application/json', '*/*', 'text/event-stream;q=0, application/json']) {
      assert.match((await send({ channel: 'api', message: 'Hi' }, { accept })).headers.get('content-type') ?? '', /^application\/json/)
    }
  })

  test('what is wrong with a message is told flat, and by the name it was sent under', async () => {
    const wrong: readonly (readonly [unknown, string | undefined])[] = [
      [[], undefined],
      ['text', undefined],
      [{ message: 'Hi' }, 'channel'],
      [{ channel: 'api' }, 'message'],
      [{ channel: 'api', message: '' }, 'message'],
      [{ channel: 'a b', message: 'Hi' }, 'channel'],
      [{ channel: 'api', message: 5 }, 'message'],
      [{ channel: 'api', message: 'Hi', conversation_id: 5 }, 'conversation_id'],
      [{ channel: 'api', message: 'Hi', conversation_id: '' }, 'conversation_id'],
      [{ channel: 'api', message: 'Hi', wait_for_response: 'no' }, 'wait_for_response'],
      [{ channel: 'api', message: 'Hi', wait_for_response: false, conversation_id: 'x'.repeat(257) }, 'conversation_id'],
      [{ channel: 'api', message: 'Hi', conversation: 'typo' }, 'conversation'],
      ...[0, -1, 1.5, '10', 2 ** 53].map((timeout) => [{ channel: 'api', message: 'Hi', timeout_ms: timeout }, 'timeout_ms'] as const),
    ]
    for (const [body, param] of wrong) {
      const reply = await send(body)
      assert.equal(reply.status, 400, JSON.stringify(body))
      assert.partialDeepStrictEqual(await reply.json(), { error: 'bad_request', status: 400, details: param === undefined ? {} : { param } })
    }
  })

  test('conversations are listed a page at a time, by channel, and deleted by any id', async () => {
    const ids = ['one', 'a/b:c', '50% off?']
    for (const id of ids) await ask({ message: 'Hello', channel: 'listed', conversation_id: id })
    const listed = async (more = '') => (await read(`conversations?channel=listed${more}`)).body
    const named = ({ conversations }: JsonObject) => (conversations as JsonObject[]).map((row) => row['conversation_id'])
    assert.deepEqual(named(await listed()), ids.toReversed())
    const first = await listed('&limit=2')
    assert.deepEqual(named(await listed(`&limit=2&after=${String(first['next'])}`)), ['one'])
    for (const id of ids) assert.deepEqual(await read(`conversations/${encodeURIComponent(id)}`, 'DELETE'), { status: 200, body: { ok: true } })
    assert.deepEqual(named(await listed()), [])
    const gone = await read('conversations/one')
    assert.deepEqual([gone.status, gone.body['error'], gone.body['details']], [404, 'not_found', { param: 'conversation_id' }])
  })
})

function frameOf(text: string): Frame {
  const [event = '', data = ''] = text.split('\n')
  return { event: event.replace('event: ', ''), data: JSON.parse(data.replace('data: ', '')) as JsonObject }
}
