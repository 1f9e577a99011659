/** How what goes wrong is spelled on HTTP: every code, in every family of URLs, and what only HTTP knows. */
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { Json, JsonObject, RefusalCode } from '@isopod/plugin-api'
import { testGateway, type TestGateway } from '@isopod/testing'
import { verifies } from '../requirements.ts'
import { Probe } from './probe.ts'

async function open(t: TestContext): Promise<TestGateway> {
  const gateway = await testGateway({ plugins: ['system', new Probe().plugin] })
  t.after(() => gateway.close())
  return gateway
}

async function post(gateway: TestGateway, path: string, body: Json | string | Uint8Array, headers: Record<string, string> = { 'content-type': 'application/json' }, method = 'POST') {
  const raw = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
  const response = await gateway.fetch(path, { method, headers, body: raw })
  return { status: response.status, headers: response.headers, body: (await response.json()) as JsonObject }
}

interface Row {
  readonly status: number
  readonly code: string
  readonly type: string
  readonly lesson: string
  readonly flat: string
  readonly flatStatus?: number
  readonly upper: string
}

/** The table of refusals in the documents, as literals: when one changes, a client somewhere breaks. */
const TABLE: Readonly<Record<RefusalCode, Row>> = {
  invalid_request: { status: 400, code: 'invalid_request', type: 'invalid_request_error', lesson: 'client_error', flat: 'bad_request', upper: 'INVALID_REQUEST' },
  unauthorized: { status: 401, code: 'unauthorized', type: 'authentication_error', lesson: 'authentication_error', flat: 'unauthorized', upper: 'UNAUTHORIZED' },
  forbidden: { status: 403, code: 'forbidden', type: 'permission_error', lesson: 'client_error', flat: 'forbidden', upper: 'FORBIDDEN' },
  not_found: { status: 404, code: 'not_found', type: 'not_found_error', lesson: 'client_error', flat: 'not_found', upper: 'NOT_FOUND' },
  method_not_found: { status: 404, code: 'not_found', type: 'not_found_error', lesson: 'client_error', flat: 'not_found', upper: 'METHOD_NOT_FOUND' },
  timeout: { status: 504, code: 'timeout', type: 'api_error', lesson: 'server_error', flat: 'timeout', flatStatus: 408, upper: 'TIMEOUT' },
  cancelled: { status: 409, code: 'cancelled', type: 'invalid_request_error', lesson: 'client_error', flat: 'cancelled', upper: 'CANCELLED' },
  conflict: { status: 409, code: 'conflict', type: 'invalid_request_error', lesson: 'client_error', flat: 'conflict', upper: 'CONFLICT' },
  payload_too_large: { status: 413, code: 'payload_too_large', type: 'invalid_request_error', lesson: 'client_error', flat: 'payload_too_large', upper: 'PAYLOAD_TOO_LARGE' },
  rate_limited: { status: 429, code: 'rate_limited', type: 'rate_limited', lesson: 'rate_limited', flat: 'rate_limited', upper: 'RATE_LIMITED' },
  budget_exceeded: { status: 429, code: 'budget_exceeded', type: 'rate_limited', lesson: 'rate_limited', flat: 'budget_exceeded', upper: 'BUDGET_EXCEEDED' },
  internal: { status: 500, code: 'internal_error', type: 'api_error', lesson: 'server_error', flat: 'internal_error', upper: 'INTERNAL_ERROR' },
  unavailable: { status: 503, code: 'service_unavailable', type: 'api_error', lesson: 'server_error', flat: 'service_unavailable', upper: 'SERVICE_UNAVAILABLE' },
}

describe('a refusal', () => {
  // The table's own keys.
  for (const [code, row] of Object.entries(TABLE) as [RefusalCode, Row][]) {
    const message = `Refused as ${code}`

    it(`${code} is ${row.status} ${row.type} outside the families`, async (t) => {
      verifies('000:http:error', '002:error')
      const { status, body } = await post(await open(t), '/probe/refuse', { code })
      assert.deepEqual([status, body], [row.status, { ok: false, error: { message, type: row.type, code: row.code, param: 'code' } }])
    })

    it(`${code} is ${row.lesson} on the lesson's own routes`, async (t) => {
      verifies('002:code:invalid-request', '002:code:unauthorized', '002:code:forbidden', '002:code:not-found', '002:code:rate-limited', '002:code:internal', '002:code:unavailable')
      const { status, body } = await post(await open(t), '/v1/agent/refuse', { code })
      assert.deepEqual([status, body], [row.status, { ok: false, error: { message, type: row.lesson, code: row.code, param: 'code' } }])
    })

    it(`${code} is ${row.flat} and flat under /api/v1`, async (t) => {
      verifies('001:code:bad-request', '001:code:unauthorized', '001:code:forbidden', '001:code:not-found', '001:code:timeout', '001:code:rate-limited', '001:code:internal', '001:code:unavailable')
      const { status, body } = await post(await open(t), '/api/v1/refuse', { code })
      const shown = row.flatStatus ?? row.status
      assert.deepEqual([status, body], [shown, { error: row.flat, message, status: shown, details: { param: 'code' } }])
    })

    it(`${code} is ${row.upper} on the overview's own routes`, async (t) => {
      const { status, body } = await post(await open(t), '/api/endpoint/refuse', { code })
      assert.deepEqual([status, body], [row.status, { ok: false, error: { message, type: row.type, code: row.upper, param: 'code' } }])
    })
  }

  it('that says how long to wait carries it as Retry-After, in whole seconds', async (t) => {
    const { headers } = await post(await open(t), '/probe/refuse', { code: 'rate_limited', after: 1.2 })
    assert.equal(headers.get('retry-after'), '2')
  })

  it('of a bug in a plugin says nothing of it, and the log says all', async (t) => {
    verifies('004:error:500', '000:code:internal')
    const gateway = await open(t)
    const { status, body } = await post(gateway, '/probe/fail', {})
    assert.deepEqual([status, body], [500, { ok: false, error: { message: 'Internal error', type: 'api_error', code: 'internal_error' } }])
    assert.match(JSON.stringify(gateway.log.recent({ limit: 100 })), /probe\.fail of probe 1\.0\.0 failed.*secret path/)
  })

  it('of a URL that nobody serves is in the words of its family', async (t) => {
    const gateway = await open(t)
    const paths = { '/nowhere': 'error', '/v1/sessions/a/b': 'error', '/api/v1/nowhere': 'status' }
    for (const [path, field] of Object.entries(paths)) {
      const response = await gateway.fetch(path)
      assert.equal(response.status, 404)
      assert.ok(field in ((await response.json()) as JsonObject), path)
    }
  })

  it('is kept by no cache and guessed at by no browser', async (t) => {
    const { headers } = await post(await open(t), '/probe/refuse', { code: 'not_found' })
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
  })
})

describe('a request', () => {
  it('with a verb that a path does not take is 405, and Allow names those it does', async (t) => {
    const gateway = await open(t)
    const response = await gateway.fetch('/probe/echo', { method: 'DELETE' })
    assert.equal(response.status, 405)
    assert.equal(response.headers.get('allow'), 'GET, POST, HEAD')
    assert.partialDeepStrictEqual(await response.json(), { ok: false, error: { type: 'invalid_request_error', code: 'invalid_request' } })
  })

  it('HEAD is answered by the row for GET, without the body', async (t) => {
    const response = await (await open(t)).fetch('/health', { method: 'HEAD' })
    assert.deepEqual([response.status, await response.text()], [200, ''])
  })

  it('with a body that is no JSON by its type is 415, in the family\'s words', async (t) => {
    verifies('004:error:400')
    const gateway = await open(t)
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/jsonp', 'json']) {
      const { status, body } = await post(gateway, '/probe/echo', {}, { 'content-type': type })
      assert.partialDeepStrictEqual([status, body], [415, { ok: false, error: { type: 'invalid_request_error', code: 'invalid_request', param: 'content-type' } }])
    }
    assert.equal((await post(gateway, '/v1/sessions/echo', {}, { 'content-type': 'text/plain' }, 'PUT')).status, 415)
    assert.equal((await post(gateway, '/probe/echo', {}, { 'content-type': 'application/json', 'content-encoding': 'gzip' })).status, 415)
  })

  it('with a body that is JSON by any of its names is read', async (t) => {
    const gateway = await open(t)
    for (const type of ['application/json', 'Application/JSON; charset=utf-8', 'application/merge-patch+json']) {
      assert.deepEqual(await post(gateway, '/probe/echo', { a: 1 }, { 'content-type': type }).then(({ status, body }) => [status, body]), [200, { a: 1 }])
    }
  })

  it('with a body that cannot be read is 400 and says why', async (t) => {
    const gateway = await open(t)
    const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
    const bodies: readonly (readonly [body: string | Uint8Array, why: RegExp])[] = [
      ['{"a":', /not JSON/],
      ['{"a":1}x', /not JSON/],
      ['[1]', /must be a JSON object/],
      ['"text"', /must be a JSON object/],
      ['null', /must be a JSON object/],
      [new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), /not UTF-8/],
      [deep(65), /nested deeper than 64/],
      [`${'['.repeat(100_000)}${']'.repeat(100_000)}`, /nested deeper than 64/],
    ]
    for (const [body, why] of bodies) {
      for (const [path, method, type] of [['/probe/echo', 'POST', 'invalid_request_error'], ['/v1/sessions/echo', 'PUT', 'client_error']] as const) {
        const refused = await post(gateway, path, body, { 'content-type': 'application/json' }, method)
        assert.partialDeepStrictEqual([refused.status, refused.body], [400, { ok: false, error: { type, code: 'invalid_request' } }])
        assert.match((refused.body['error'] as { message: string }).message, why)
      }
    }
    assert.equal((await post(gateway, '/probe/echo', deep(64))).status, 200)
  })

  it('with an empty body or none calls its method with nothing', async (t) => {
    const gateway = await open(t)
    assert.deepEqual((await post(gateway, '/probe/echo', ' ')).body, {})
    const bare = await gateway.fetch('/probe/echo', { method: 'POST' })
    assert.deepEqual([bare.status, await bare.json()], [200, {}])
  })

  it('with a name that means something to JavaScript carries it like any other', async (t) => {
    const gateway = await open(t)
    const { status, body } = await post(gateway, '/probe/echo', '{"__proto__":{"scopes":["admin"]},"constructor":1}')
    assert.equal(status, 200)
    assert.deepEqual(Object.keys(body).sort(), ['__proto__', 'constructor'])
  })

  it('whose row fails to read or spell it is 500 without a word of it, and the log has the word', async (t) => {
    const gateway = await open(t)
    for (const path of ['/probe/broken/decode', '/probe/broken/encode']) {
      const { status, body } = await post(gateway, path, {})
      assert.deepEqual([status, body], [500, { ok: false, error: { message: 'Internal error', type: 'api_error', code: 'internal_error' } }])
      assert.match(JSON.stringify(gateway.log.recent({ limit: 100 })), new RegExp(`POST ${path} failed`))
    }
  })

  it('is answered with the status, headers and body its row spells', async (t) => {
    const { status, headers, body } = await post(await open(t), '/probe/teapot', {})
    assert.deepEqual([status, headers.get('x-probe'), headers.get('content-type'), body], [202, 'yes', 'application/json; charset=utf-8', { spelled: true }])
  })
})

describe('a path', () => {
  it('with fixed text wins over one with a segment, and a segment over the rest', async (t) => {
    const gateway = await open(t)
    const answers = { '/probe/items/list': { ok: true }, '/probe/items/a%2Fb%20c': { id: 'a/b c' }, '/probe/files/a/b%20c': { path: 'a/b c' } }
    for (const [path, answer] of Object.entries(answers)) assert.deepEqual(await (await gateway.fetch(path)).json(), answer)
    assert.equal((await gateway.fetch('/probe/files/one')).status, 400, 'the row with one segment refuses `name`')
  })

  it('with an empty or undecodable segment leads nowhere', async (t) => {
    const gateway = await open(t)
    for (const path of ['/probe/items/', '/probe/items/%zz', '/probe/items/%ff', '/probe/items/a/b', '/probe/items', '/PROBE/echo', '/probe/echo/']) {
      assert.equal((await gateway.fetch(path)).status, 404, path)
    }
  })
})

describe('texts from a URL', () => {
  it('become what the method\'s schema asks for', async (t) => {
    const gateway = await open(t)
    const answer = await gateway.fetch('/probe/typed/3?limit=5&ratio=-0.5e1&full=true&size=2&mixed=7&free=9&id=8')
    assert.deepEqual(await answer.json(), { page: 3, limit: 5, ratio: -5, full: true, size: 2, mixed: 7, free: '9', id: '8' })
  })

  it('that do not read as it are refused by the schema, by name', async (t) => {
    const gateway = await open(t)
    for (const query of ['limit=5.5', 'limit=', 'limit=1e3', 'limit=0x10', 'limit=%205', 'limit=9007199254740993', 'ratio=NaN', 'ratio=Infinity', 'ratio=1,5', 'full=1', 'full=TRUE', 'size=3']) {
      const response = await gateway.fetch(`/probe/typed?${query}`)
      const { error } = (await response.json()) as { error: { param: string } }
      assert.deepEqual([query, response.status, error.param], [query, 400, query.split('=')[0]])
    }
    assert.equal((await gateway.fetch('/probe/typed?limit=0')).status, 400)
    assert.equal((await gateway.fetch('/probe/typed?unknown=1')).status, 400)
  })

  it('stay texts where the method has no schema, and the last of a name counts', async (t) => {
    assert.deepEqual(await (await (await open(t)).fetch('/probe/echo?limit=5&limit=6&b=a+b')).json(), { limit: '6', b: 'a b' })
  })

  it('are no match for the body, whose types are its own', async (t) => {
    const gateway = await open(t)
    const response = await gateway.fetch('/probe/echo?a=1&b=2', { method: 'POST', body: '{"a":{"b":"5"}}', headers: { 'content-type': 'application/json' } })
    assert.deepEqual(await response.json(), { a: { b: '5' }, b: '2' })
  })
})
