/** Requests that must not be served, and what each transport makes of them. The two agree wherever the libraries let them. */
import { requestText } from './harness.ts'

/** `held`: no answer, and the connection is dropped when the library's patience ends. Where one word is given, it holds for both. */
type Outcome = number | 'held'
interface Case {
  readonly what: string
  readonly bytes: string
  readonly uws: Outcome
  readonly ws: Outcome
}

export const GET = (...headers: string[]) => requestText('GET /', ['Host: gateway', ...headers])
export const POST = (body: string, ...headers: string[]) => requestText('POST /', ['Host: gateway', ...headers], body)
export const CHUNKED = 'Transfer-Encoding: chunked'

function row(what: string, bytes: string, uws: Outcome, ws: Outcome = uws): Case {
  return { what, bytes, uws, ws }
}

export const MALFORMED: readonly Case[] = [
  row('two equal Content-Lengths', POST('ab', 'Content-Length: 2', 'Content-Length: 2'), 400),
  row('two unequal Content-Lengths', POST('abc', 'Content-Length: 2', 'Content-Length: 3'), 400),
  row('a list of Content-Lengths', POST('ab', 'Content-Length: 2, 2'), 400),
  row('a signed Content-Length', POST('ab', 'Content-Length: +2'), 400),
  row('a negative Content-Length', POST('ab', 'Content-Length: -2'), 400),
  row('a hexadecimal Content-Length', POST('ab', 'Content-Length: 0x2'), 400),
  row('a Content-Length beyond counting', POST('ab', 'Content-Length: 99999999999999999999999'), 400),
  row('an empty Content-Length', POST('', 'Content-Length:'), 400),
  row('Content-Length beside Transfer-Encoding', POST('0\r\n\r\n', 'Content-Length: 5', CHUNKED), 400),
  row('Transfer-Encoding beside Content-Length', POST('0\r\n\r\n', CHUNKED, 'Content-Length: 5'), 400),
  row('Transfer-Encoding: xchunked', POST('0\r\n\r\n', 'Transfer-Encoding: xchunked'), 400),
  row('Transfer-Encoding: chunked, identity', POST('0\r\n\r\n', 'Transfer-Encoding: chunked, identity'), 400),
  row('Transfer-Encoding: gzip, chunked', POST('0\r\n\r\n', 'Transfer-Encoding: gzip, chunked'), 400),
  row('Transfer-Encoding: identity', POST('', 'Transfer-Encoding: identity'), 400),
  row('an empty Transfer-Encoding', POST('', 'Transfer-Encoding:'), 400),
  row('Transfer-Encoding twice', POST('0\r\n\r\n', CHUNKED, CHUNKED), 400),
  row('two Hosts', GET('Host: other'), 400),
  row('two equal Hosts', GET('Host: gateway'), 400),
  row('no Host', requestText('GET /', ['X-A: b']), 400),
  row('no header at all', 'GET / HTTP/1.1\r\n\r\n', 'held', 400),
  row('an empty Host', requestText('GET /', ['Host:']), 400),
  row('two Authorizations', GET('Authorization: Bearer a', 'Authorization: Bearer b'), 400),
  row('DEL in a value', GET('X-A: a\x7fb'), 400),
  row('a fragment in the target', requestText('GET /a#b'), 400),
  row('bytes beyond ASCII in the target', requestText('GET /\xe9'), 400),
  row('a method nobody knows', requestText('BREW /'), 501),
  row('a method with a sign in it', requestText('G@T /'), 501),
  row('a method of WebDAV', requestText('PROPFIND /'), 501),
  row('TRACE', requestText('TRACE /'), 501),
  row('CONNECT', requestText('CONNECT gateway:80'), 505, 501),
  row('OPTIONS *', requestText('OPTIONS *'), 505, 400),
  row('a target in absolute form', requestText('GET http://gateway/'), 505, 400),
  row('HTTP/1.0', 'GET / HTTP/1.0\r\nHost: gateway\r\n\r\n', 505),
  row('HTTP/2.0 in text', 'GET / HTTP/2.0\r\nHost: gateway\r\n\r\n', 505),
  row('a space in the target', 'GET /a b HTTP/1.1\r\nHost: gateway\r\n\r\n', 505, 400),
  row('lines that end in LF only', 'GET / HTTP/1.1\nHost: gateway\n\n', 505, 400),
  row('a TLS handshake on the plain port', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 and so on and on', 505, 501),
  row('two hundred headers', GET(...Array.from({ length: 200 }, (_, index) => `x-${index}: 1`)), 431),
  row('a hundred headers', GET(...Array.from({ length: 99 }, (_, index) => `x-${index}: 1`)), 431),
  row('a head of 20 KB', GET(`X-A: ${'a'.repeat(20_000)}`), 431),
  row('a chunk size that is no number', POST('zz\r\nab\r\n0\r\n\r\n', CHUNKED), 400),
  row('a negative chunk size', POST('-1\r\nab\r\n0\r\n\r\n', CHUNKED), 400),
  row('a chunk size with 0x', POST('0x2\r\nab\r\n0\r\n\r\n', CHUNKED), 400),
  row('a chunk size beyond counting', POST('fffffffffffffffff\r\nab\r\n0\r\n\r\n', CHUNKED), 400),
  row('a header without a colon', GET('nocolon'), 'held', 400),
  row('NUL in a value', GET('X-A: a\0b'), 'held', 400),
  row('CR in a value', GET('X-A: a\rb'), 'held', 400),
  row('another control character in a value', GET('X-A: a\x01b'), 'held', 400),
  row('a folded header', GET('X-A: a', ' b'), 'held', 400),
  row('a space before the colon', requestText('GET /', ['Host : gateway']), 'held', 400),
  row('a space in a name', GET('X A: b'), 'held', 400),
  row('a bracket in a name', GET('X(A: b'), 'held', 400),
  row('half a head', 'GET / HTTP/1.1\r\nHost: gate', 'held', 408),
  row('half a version', 'GET / HTTP/1.', 505, 408),
  row('half a body', POST('half', 'Content-Length: 10'), 'held'),
  row('nothing', '', 'held', 408),
]
