import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OPTIONS, readAll, requestText, SILENT, TRANSPORTS, waiting, Wire } from './harness.ts'
import { CHUNKED, GET, POST } from './malformed-cases.ts'
import { findFault } from '../../kernel/transport/admission.ts'

for (const { name, factory } of TRANSPORTS) {
  test(`${name}: a refusal is JSON that says what was wrong, and closes`, async (t) => {
    const transport = factory(OPTIONS, SILENT)
    t.after(() => transport.close())
    const { port } = await transport.listen()
    const wire = await Wire.dial(port, t)
    wire.send(GET('Host: other'))
    const [head, body] = (await wire.end()).split('\r\n\r\n')
    assert.match(head ?? '', /connection: close/i)
    assert.match(head ?? '', /content-type: application\/json/i)
    assert.deepEqual(JSON.parse(body ?? ''), {
      ok: false,
      error: { message: 'The header host came twice.', type: 'invalid_request_error', code: 'invalid_request' },
    })
  })

  test(`${name}: what is unusual and right is served`, async (t) => {
    const transport = factory(OPTIONS, { ...SILENT, request: waiting(async (exchange) => exchange.reply(200, {}, `<${exchange.method} ${await readAll(exchange)}>`)) })
    t.after(() => transport.close())
    const { port } = await transport.listen()
    const right: readonly (readonly [string, string])[] = [
      [GET('X-A:', 'Connection: close'), '<GET >'],
      [GET('X-A: a\tb', 'Connection: close'), '<GET >'],
      [GET(`X-A: ${'a'.repeat(15_000)}`, 'Connection: close'), '<GET >'],
      [GET(...Array.from({ length: 94 }, (_, index) => `x-${index}: 1`), 'Connection: close'), '<GET >'],
      [requestText('DELETE /"a|b"?c="|', ['Host: gateway', 'Content-Length: 2', 'Connection: close'], 'hi'), '<DELETE hi>'],
      [POST('2\r\nhi\r\n0\r\n\r\n', CHUNKED, 'Connection: close'), '<POST hi>'],
      [GET('Upgrade: h2c', 'Connection: Upgrade, close'), '<GET >'],
      [GET('Expect: brew', 'Connection: close'), '<GET >'],
    ]
    for (const [bytes, expected] of right) {
      const wire = await Wire.dial(port, t)
      wire.send(bytes)
      assert.ok((await wire.until(/<.*>/)).endsWith(expected), `${bytes.slice(0, 90)} -> ${wire.text}`)
    }
  })
}

test('a head is refused for what is missing even where a parser would have let it pass', () => {
  const host: readonly [string, string] = ['host', 'gateway']
  assert.equal(findFault('/', '', new Map([host])), undefined)
  assert.equal(findFault('*', '', new Map([host]))?.status, 400)
  assert.equal(findFault('/', 'a b', new Map([host]))?.status, 400)
  assert.equal(findFault('/', '', new Map([host, ['content-length', '1e3']]))?.status, 400)
  assert.equal(findFault('/', '', new Map([host, ['content-length', '5'], ['transfer-encoding', 'chunked']]))?.status, 400)
})
