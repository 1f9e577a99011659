import { test } from 'node:test'
import assert from 'node:assert/strict'
import { RpcError, type Caller, type GatewayFacts, type Json, type RouteEncoded } from '@isopod/plugin-api'
import plugin from '../index.ts'
import { contributionsOf, NOW, type ContextParts } from '../../../fixtures/contributions.ts'

const system = contributionsOf(plugin)
const STRANGER: Caller = { id: 'public', scopes: [], origin: 'stranger' }

const FACTS: GatewayFacts = {
  version: '2026.2.13', startedAt: NOW - 3_600_000, uptimeMs: 3_600_999, port: 18789, bind: '127.0.0.1', auth: 'token', transport: 'uws',
  listening: true, eventLoopDelayMs: 1, troubles: [],
}

function given(facts: Partial<GatewayFacts> = {}, parts: ContextParts = {}): ContextParts {
  const call = () => Promise.reject(new RpcError('method_not_found', 'There is no method channel.list'))
  return { gateway: () => Promise.resolve({ ...FACTS, ...facts }), call, ...parts }
}

/** What a URL answers: the row's params into its method, and the outcome through the row's encoding. */
async function get(path: string, parts: ContextParts): Promise<{ status: number; body: Json | undefined }> {
  const row = system.route(`GET ${path}`)
  const decoded = await row.decode?.({ path, segments: {}, query: {}, headers: {}, body: undefined })
  const params = decoded && 'params' in decoded ? decoded.params : {}
  const value = await system.call(row.call, params, parts)
  const encoded: RouteEncoded | undefined = await row.encode?.({ kind: 'outcome', outcome: { ok: true, value } }, null, NOW)
  return { status: encoded?.status ?? 200, body: encoded?.body ?? value }
}

test('ping answers the gateway\'s clock', async () => {
  assert.deepEqual(await system.call('system.ping', {}, { now: () => 42 }), { pong: true, ts: 42 })
})

test('ping names a parameter it does not have', async () => {
  await assert.rejects(system.call('system.ping', { echo: 1 }), { code: 'invalid_request' })
})

test('/health answers exactly what the document shows while nothing is wrong', async () => {
  assert.deepEqual(await get('/health', given()), { status: 200, body: { ok: true, status: 'healthy' } })
})

test('/health is 503 when the gateway is troubled, and tells a stranger nothing more', async () => {
  const answer = await get('/health', given({ troubles: ['The disk is full.'] }, { caller: STRANGER }))
  assert.deepEqual(answer, { status: 503, body: { ok: false, status: 'unhealthy' } })
})

test('a caller who may read is told what troubles the gateway', async () => {
  const answer = await system.call('system.health', {}, given({ troubles: ['The disk is full.'] }))
  assert.deepEqual(answer, { ok: false, status: 'unhealthy', troubles: ['The disk is full.'] })
})

test('/healthz says live whatever troubles the gateway', async () => {
  assert.deepEqual(await get('/healthz', given({ troubles: ['The disk is full.'] })), { status: 200, body: { ok: true, status: 'live' } })
})

for (const path of ['/ready', '/readyz']) {
  test(`${path} is 503 until the gateway listens`, async () => {
    assert.deepEqual(await get(path, given({ listening: false })), { status: 503, body: { ok: false, status: 'not_ready' } })
    assert.deepEqual(await get(path, given()), { status: 200, body: { ok: true, status: 'ready' } })
  })

  test(`${path} is 503 while something troubles the gateway`, async () => {
    assert.equal((await get(path, given({ troubles: ['The store does not answer.'] }))).status, 503)
  })
}

test('a health URL takes parameters it does not know', async () => {
  assert.deepEqual(await system.call('system.health', { verbose: '1' }, given()), { ok: true, status: 'healthy' })
})

test('only the health URLs are open to everybody', () => {
  const open = [...system.routes.values()].filter((row) => row.auth === 'public').map((row) => row.path)
  assert.deepEqual(open, ['/health', '/healthz', '/ready', '/readyz'])
})

test('/health decodes nothing', () => {
  assert.equal(system.route('GET /health').decode, undefined)
})

test('/status answers in the shape of the document', async () => {
  assert.deepEqual(await get('/status', given()), {
    status: 200,
    body: { status: 'ok', version: '2026.2.13', uptime: 3600, gateway: { port: 18789, bind: '127.0.0.1', auth: 'token' }, channels: {} },
  })
})

test('/status has its channels by id, each with its state', async () => {
  const channels = [{ id: 'telegram', name: 'Telegram', enabled: true, status: 'connected' }, { id: 'slack', name: 'Slack', enabled: false, status: 'disabled' }]
  const { body } = await get('/status', given({}, { call: () => Promise.resolve({ channels }) }))
  assert.partialDeepStrictEqual(body, { status: 'ok', channels: { telegram: 'connected', slack: 'disabled' } })
})

test('/status is answered though the channels cannot be asked, and says so', async () => {
  const call = () => Promise.reject(new RpcError('timeout', 'channel.list took too long'))
  const { body } = await get('/status', given({}, { call }))
  assert.partialDeepStrictEqual(body, { status: 'degraded', channels: {}, troubles: ['The channels could not be asked: channel.list took too long'] })
})

test('/status is degraded, with the reasons, while something troubles the gateway', async () => {
  const { body } = await get('/status', given({ troubles: ['The disk is full.'] }))
  assert.deepEqual(body, {
    status: 'degraded', version: '2026.2.13', uptime: 3600, gateway: { port: 18789, bind: '127.0.0.1', auth: 'token' },
    channels: {}, troubles: ['The disk is full.'],
  })
})

test('uptime is what has passed, though the clock was set meanwhile', async () => {
  const answer = await system.call('system.status', {}, given({ startedAt: NOW + 60_000, uptimeMs: 5_400 })) as { uptime: number }
  assert.equal(answer.uptime, 5)
})
