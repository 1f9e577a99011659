/**
 * HTTP thrown at a gateway as bytes: every row of its own table with segments, queries, headers and bodies that nobody means
 * well, and heads that are no HTTP. A request that keeps to the protocol gets one whole reply, and its refusal is spelled as its
 * family spells it; any other may be dropped, but never waits for ever.
 */
import fc from 'fast-check'
import type { Json } from '@isopod/plugin-api'
import { FuzzedGateway } from './fuzzed-gateway.ts'
import { fromSchema } from './from-schema.ts'
import { chunked, readResponse, type Response } from './http-bytes.ts'
import { Line } from './line.ts'
import { bent, jsonText, oddJson, oddText } from './odd-json.ts'
import { property, type Opening, type Subject } from './property.ts'
import { wrongRefusal } from './refusal.ts'
import { readSurface, type Row, type Surface } from './surface.ts'

export function requestsOn(variant: 'uws' | 'ws'): Opening {
  return { noun: 'requests', variant, open: () => open(variant) }
}

async function open(transport: 'uws' | 'ws'): Promise<Subject> {
  const surface = await readSurface()
  const gateway = await FuzzedGateway.open(transport)
  const rows = property({ name: 'rows', runs: 250, cases: rowRequests(surface), holds: (one: RowRequest) => answered(gateway, one) })
  const heads = property({ name: 'heads', runs: 150, cases: badHeads(surface), holds: (one: BadHead) => survived(gateway, one) })
  return { properties: [rows, heads], residentBytes: () => gateway.residentBytes(), close: () => gateway.close() }
}

interface RowRequest {
  readonly verb: string
  readonly target: string
  readonly headers: readonly string[]
  /** A character for each byte, so that a failure can be read. */
  readonly body: string | undefined
  /** Sizes of the chunks; without them the body has a length. */
  readonly chunks: readonly number[] | undefined
  readonly packets: readonly number[]
}

/** Bodies that the families take, where a row makes its params of something else than their names. */
const KNOWN_BODIES: readonly Json[] = [
  { model: 'openclaw', messages: [{ role: 'system', content: 'x' }, { role: 'user', content: [{ type: 'text', text: 'hi' }, { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }] }], stream: false, temperature: 1, tools: [{ type: 'function', function: { name: 'a', parameters: {} } }], tool_choice: 'auto', user: 'a' },
  { model: 'gpt-4', messages: [{ role: 'user', content: 'hi' }, { role: 'assistant', tool_calls: [{ id: 'a', type: 'function', function: { name: 'a', arguments: '{}' } }] }, { role: 'tool', tool_call_id: 'a', content: 'b' }], stream: true, stream_options: { include_usage: true } },
  { method: 'system.status', params: {}, id: 1 },
  { method: 'session.list' },
  { message: 'hi', sessionKey: 'fuzz-a', options: { stream: true, model: 'a' } },
  { message: 'hi', channel: 'web', conversation_id: 'fuzz-b', wait_for_response: true, timeout_ms: 1000 },
  { tool: 'calculator', params: { expression: '1+1' } },
  { name: 'text_count', args: { text: 'a b' } },
  { query: 'a', limit: 3 },
  { enabled: false },
]

/** What a segment or a query may be on the wire: visible ASCII without blanks, escapes among it that are none. */
const escaped = oddText.map((text) => encodeURIComponent(text.toWellFormed()).slice(0, 600))
const piece = fc.oneof({ weight: 4, arbitrary: escaped }, { weight: 1, arbitrary: fc.constantFrom('%', '%zz', '%c0%af', '%2e%2e', '..', '.', '%00', '%2f', ';a=b', '{id}', '') })
const packets = fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 4 })

/** Headers that the gateway reads, each with what may be in it. A name is given once: twice is a matter of heads. */
const HEADERS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  Authorization: fc.oneof({ weight: 6, arbitrary: fc.constant('Bearer TOKEN') }, { weight: 1, arbitrary: fc.constantFrom('Bearer', 'Bearer wrong', 'Basic !!!', 'Basic Og==', 'Basic YTpi', 'Digest a', '') }),
  Accept: fc.constantFrom('text/event-stream', '*/*', 'application/json', ';'),
  Origin: fc.constantFrom('null', 'http://evil.example', 'http://127.0.0.1', 'x', 'https://['),
  'X-OpenClaw-Token': fc.constantFrom('TOKEN', 'wrong', ''),
  'If-Match': escaped.map((text) => text.slice(0, 40)),
  'Last-Event-ID': fc.constantFrom('1', '-1', 'a', '99999999999999999999'),
  'Content-Encoding': fc.constantFrom('identity', 'gzip', ''),
  Expect: fc.constant('100-continue'),
  Cookie: fc.constantFrom('a=b', '=', 'token=TOKEN'),
  'X-Forwarded-For': fc.constantFrom('1.2.3.4', '::1, x'),
}
const HOSTS = fc.oneof({ weight: 12, arbitrary: fc.constant('127.0.0.1') }, { weight: 1, arbitrary: fc.constantFrom('evil.example', '[::1]', '[', ':', 'localhost:x', '127.0.0.1:99999') })
const TYPES = fc.oneof({ weight: 8, arbitrary: fc.constant('application/json') }, { weight: 1, arbitrary: fc.constantFrom('text/plain', 'application/x+json; charset=utf-7', 'multipart/form-data; boundary=', ';', '') })

const oddHeaders: fc.Arbitrary<readonly string[]> = fc
  .record(HEADERS, { requiredKeys: ['Authorization'] })
  .map((named) => Object.entries(named).map(([name, value]) => `${name}: ${String(value)}`))

function rowRequests({ rows }: Surface): fc.Arbitrary<RowRequest> {
  const verbs = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
  return fc.constantFrom(...rows).chain((row) => fc
    .record({
      verb: fc.oneof({ weight: 10, arbitrary: fc.constant(row.verb) }, { weight: 1, arbitrary: fc.constantFrom(...verbs) }),
      target: targets(row),
      host: HOSTS,
      type: TYPES,
      headers: oddHeaders,
      body: bodies(row),
      chunks: fc.oneof(fc.constant(undefined), fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 4 })),
      packets,
    })
    .map(({ host, type, headers, body, chunks, ...rest }) => ({
      ...rest, body, chunks: body === undefined ? undefined : chunks,
      headers: [`Host: ${host}`, ...headers, ...(body !== undefined ? [`Content-Type: ${type}`, chunks ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`] : [])],
    })))
}

/** The row's path with its segments filled, and a query of odd names or of the method's own. */
function targets({ path, params }: Row): fc.Arbitrary<string> {
  const parts = path.split('/').map((part) => (part.startsWith('{') ? (part.endsWith('+}') ? fc.array(piece, { minLength: 1, maxLength: 3 }).map((all) => all.join('/')) : piece) : fc.constant(part)))
  const { properties = {} } = (typeof params === 'object' ? params : {}) as { properties?: object }
  const names = fc.oneof(fc.constantFrom('token', 'password', 'limit', '__proto__', ...Object.keys(properties)), piece)
  const query = fc.array(fc.tuple(names, piece).map(([name, value]) => `${name}=${value}`), { maxLength: 3 })
  return fc.tuple(fc.tuple(...parts), query).map(([filled, pairs]) => filled.join('/') + (pairs.length > 0 ? `?${pairs.join('&')}` : ''))
}

function bodies({ verb, params }: Row): fc.Arbitrary<string | undefined> {
  const meant = bent(fc.oneof(fromSchema(params), fc.constantFrom(...KNOWN_BODIES)))
  const body = fc.oneof(
    { weight: 10, arbitrary: jsonText(meant).map(utf8) },
    { weight: 2, arbitrary: jsonText(oddJson).map(utf8) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString('latin1')) },
  )
  const none = fc.constant(undefined)
  return verb === 'GET' ? fc.oneof({ weight: 6, arbitrary: none }, { weight: 1, arbitrary: body }) : fc.oneof({ weight: 1, arbitrary: none }, { weight: 12, arbitrary: body })
}

async function answered(gateway: FuzzedGateway, request: RowRequest): Promise<void> {
  const { verb, target, headers, body, chunks, packets: pieces } = request
  await withLine(gateway, async (line) => {
    const content = Buffer.from(body ?? '', 'latin1')
    const head = Buffer.from(withToken([`${verb} ${target} HTTP/1.1`, ...headers, '', ''].join('\r\n'), gateway.token))
    // uWebSockets takes a request line that is cut in its version for one of another version: there the first packet holds it whole.
    const [first = head.length, ...further] = gateway.transport === 'uws' ? pieces.map((length, index) => (index === 0 ? Math.max(length, head.indexOf('\n') + 1) : length)) : pieces
    await line.send(Buffer.concat([head, chunks ? chunked(content, chunks) : content]), [first, ...further])
    const isHead = verb === 'HEAD'
    const response = await line.until((received) => readResponse(received, isHead, line.over), `${verb} ${target}`) ?? readResponse(line.received, isHead, true)
    if (!response) throw new Error('the connection was closed before the reply was whole')
    judge(response, { path: target.split('?')[0] ?? '', isHead })
  })
}

/** A head with lines and bytes of it spoilt. */
interface BadHead {
  /** A character for each byte. */
  readonly text: string
  readonly packets: readonly number[]
}

const BAD_LINES = [
  'Content-Length: 5', 'Content-Length: -1', 'Content-Length: 99999999999', 'Transfer-Encoding: chunked', 'Transfer-Encoding: gzip', 'Upgrade: websocket', 'Upgrade: h2c', 'Connection: Upgrade', 'Connection: keep-alive, close',
  'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Version: x', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Key: ', 'Sec-WebSocket-Protocol: ,,', 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=99',
  'Host: a', 'Host:', 'Authorization: Bearer TOKEN', 'Authorization:', 'no colon', ' folded', ': nameless', 'Expect: x', `X-Long: ${'x'.repeat(20_000)}`, `Cookie: ${'a=b;'.repeat(200)}`, 'X: \0', 'X: \x7f\xff',
]

function badHeads({ rows }: Surface): fc.Arbitrary<BadHead> {
  const verb = fc.oneof(fc.constantFrom('GET', 'POST', 'HEAD', 'OPTIONS', 'CONNECT', 'TRACE', 'PRI', 'get', ''), fc.string({ maxLength: 8 }))
  const target = fc.oneof(fc.constantFrom(...rows.map(({ path }) => path)), fc.constantFrom('*', '/', '//', 'http://127.0.0.1/health', '127.0.0.1:80', '/%', '/ws?token=TOKEN', '/\\', '', '/a#b'), fc.string({ unit: 'binary', maxLength: 30 }))
  const version = fc.oneof({ weight: 6, arbitrary: fc.constant('HTTP/1.1') }, { weight: 1, arbitrary: fc.constantFrom('HTTP/1.0', 'HTTP/2.0', 'HTTP/9', '', 'HTTP/1.1 x') })
  const lines = fc.array(fc.oneof({ weight: 2, arbitrary: fc.constant('Host: 127.0.0.1') }, { weight: 4, arbitrary: fc.constantFrom(...BAD_LINES) }, { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) }), { maxLength: 8 })
  const tail = fc.oneof(fc.constantFrom('', '{}', '5\r\nhello\r\n0\r\n\r\n', 'ffffffffffffffff\r\n', '-1\r\n', 'z\r\n', '0\r\nX: y\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n'), fc.string({ unit: 'binary', maxLength: 30 }))
  const flips = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 2 })
  return fc.record({ verb, target, version, lines, end: fc.constantFrom('\r\n', '\r\n', '\n'), tail, flips, packets }).map(({ end, flips: changes, ...one }) => {
    const bytes = Buffer.from([`${one.verb} ${one.target} ${one.version}`, ...one.lines, '', one.tail].join(end), 'latin1')
    for (const [at, byte] of changes) bytes[at % bytes.length] = byte
    return { text: bytes.toString('latin1'), packets: one.packets }
  })
}

async function survived(gateway: FuzzedGateway, { text, packets: pieces }: BadHead): Promise<void> {
  await withLine(gateway, async (line) => {
    await line.send(Buffer.from(withToken(text, gateway.token), 'latin1'), pieces)
    line.end()
    await line.until(() => undefined, 'the end of the connection')
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line.received.toString('latin1'))?.[1] ?? 0)
    // 501 and 505 are the words for a verb and a version of HTTP that nobody here speaks.
    if (status >= 500 && ![501, 505].includes(status)) throw new Error(`it was answered with ${status}: ${line.received.toString('latin1').slice(0, 500)}`)
  })
}

/** They may say that all is not well, and on a machine that is busy with other things it is not. */
const HEALTH = ['/health', '/healthz', '/ready', '/readyz', '/api/v1/health']

function judge({ status, headers, body }: Response, { path, isHead }: { readonly path: string; readonly isHead: boolean }): void {
  if (status >= 500 && !(status === 503 && HEALTH.includes(path))) throw new Error(`it was answered with ${status}: ${body.toString().slice(0, 1_000)}`)
  const isJson = headers.get('content-type')?.startsWith('application/json') === true
  if (isHead || (status < 400 && !isJson)) return
  const said: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  const wrong = status < 400 || status === 503 ? undefined : wrongRefusal(path, status, said)
  if (wrong !== undefined) throw new Error(`a refusal with ${status} is not right: ${wrong}; it is ${body.toString().slice(0, 1_000)}`)
}

async function withLine(gateway: FuzzedGateway, use: (line: Line) => Promise<void>): Promise<void> {
  await gateway.ready()
  const line = await Line.dial(gateway.port)
  try {
    await use(line)
  } finally {
    line.drop()
    await gateway.well()
  }
}

function utf8(text: string): string {
  return Buffer.from(text).toString('latin1')
}

function withToken(text: string, token: string): string {
  return text.replaceAll('TOKEN', token)
}
