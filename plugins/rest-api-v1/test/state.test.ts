/** Health, status, channels, config and logs under `/api/v1`, on a real port and with a config file of its own. */
import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import type { JsonObject } from '@isopod/plugin-api'
import { verifies } from '../../../test/requirements.ts'
import { gatewayFor, type StartedGateway } from '../../../test/main-job/started.ts'

const CONFIG = `# the owner's own words
gateway:
  limits:
    requestsPerMinute: 0
    bodyBytes: 5000
models:
  providers:
    local: { api: openai-compatible, baseUrl: "http://127.0.0.1:9/v1", apiKey: a-key-nobody-may-see }
`

async function opened(test: TestContext): Promise<StartedGateway> {
  return gatewayFor(test, { config: CONFIG })
}

const read = async (gateway: StartedGateway, path: string, init: RequestInit = {}) => {
  const reply = await gateway.fetch(`/api/v1/${path}`, init)
  return { status: reply.status, headers: reply.headers, body: (await reply.json()) as JsonObject }
}
const put = (gateway: StartedGateway, patch: unknown, headers: Record<string, string> = {}) =>
  read(gateway, 'config', { method: 'PUT', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(patch) })

test('health, status and channels are told to who shows a credential', async (t) => {
  verifies('001:health', '001:status', '001:channels')
  const gateway = await opened(t)
  assert.deepEqual((await read(gateway, 'health')).body, { ok: true, status: 'healthy' })
  assert.partialDeepStrictEqual((await read(gateway, 'status')).body, { status: 'ok', gateway: { auth: 'token' } })
  assert.ok(Array.isArray((await read(gateway, 'channels')).body['channels']))
  for (const path of ['health', 'status', 'channels', 'config', 'logs', 'conversations', 'nowhere']) {
    const { status, body } = await read(gateway, path, { headers: { authorization: 'none' } })
    assert.deepEqual([status, body['error'], body['status']], [401, 'unauthorized', 401], path)
  }
})

test('the config is read without its secrets, and changed by who has seen it last', async (t) => {
  verifies('001:config')
  const gateway = await opened(t)
  const { headers, body } = await read(gateway, 'config')
  assert.equal(headers.get('etag'), `"${String(body['revision'])}"`)
  assert.doesNotMatch(JSON.stringify(body), /a-key-nobody-may-see/)
  const revision = headers.get('etag') ?? ''

  const changed = await put(gateway, { gateway: { limits: { bodyBytes: 6000 } } }, { 'if-match': revision })
  assert.equal(changed.status, 200)
  assert.equal(limitIn(changed.body), 6000)
  assert.notEqual(changed.headers.get('etag'), revision)
  const late = await put(gateway, { gateway: { limits: { bodyBytes: 7000 } } }, { 'if-match': revision })
  assert.deepEqual([late.status, late.body['error']], [409, 'conflict'])
  const now = await read(gateway, 'config')
  assert.deepEqual([limitIn(now.body), now.headers.get('etag')], [6000, changed.headers.get('etag')])

  assert.equal((await put(gateway, { gateway: { limits: { bodyBytes: null } } }, { 'if-match': '*' })).status, 200)
  assert.equal(limitIn((await read(gateway, 'config')).body), 10 * 1024 * 1024)
})

test('a change that is none is refused by its name, and changes nothing', async (t) => {
  const gateway = await opened(t)
  assert.equal((await put(gateway, [])).status, 400)
  assert.deepEqual((await put(gateway, {}, { 'if-match': '"a", "b"' })).body['details'], { param: 'if-match' })
  const wrong = await put(gateway, { gateway: { limits: { bodyBytes: 'many' } } })
  assert.deepEqual([wrong.status, wrong.body['error']], [400, 'bad_request'])
  assert.equal(limitIn((await read(gateway, 'config')).body), 5000)
})

test('the log is read a page at a time, by level, and followed', async (t) => {
  verifies('001:logs')
  const gateway = await opened(t)
  const first = await read(gateway, 'logs?limit=1')
  const [entry] = first.body['entries'] as JsonObject[]
  assert.ok(entry && typeof entry['message'] === 'string' && typeof entry['time'] === 'string')
  const errors = (await read(gateway, 'logs?level=error')).body['entries'] as JsonObject[]
  assert.ok(errors.every(({ level }) => level === 'error' || level === 'fatal'))
  for (const query of ['limit=none', 'level=loud', 'after=-1', 'nothing=1']) assert.equal((await read(gateway, `logs?${query}`)).status, 400, query)

  const leaving = new AbortController()
  const reply = await gateway.fetch(`/api/v1/logs?after=0`, { headers: { accept: 'text/event-stream' }, signal: leaving.signal })
  assert.equal(reply.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  const heard = await until(reply, /event: log\nid: \d+\ndata: /)
  assert.match(heard, /^event: following\n/)
  leaving.abort()
})

function limitIn(body: JsonObject): unknown {
  return (body as { config: { gateway: { limits: { bodyBytes: number } } } }).config.gateway.limits.bodyBytes
}

async function until(reply: Response, pattern: RegExp): Promise<string> {
  let heard = ''
  for await (const chunk of reply.body ?? []) {
    heard += Buffer.from(chunk).toString()
    if (pattern.test(heard)) return heard
  }
  throw new Error(`the stream ended with ${heard}`)
}
