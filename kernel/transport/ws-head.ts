/** The head of a request as `node:http` parsed it, held to the same rules as the other library's. */
import type { IncomingMessage } from 'node:http'
import { shortAddress } from './address.ts'
import { addHeader, badRequest, findFault, HEAD_TOO_LARGE, knownMethod, UNKNOWN_METHOD, type Malformed } from './admission.ts'
import type { RequestHead } from './exchange.ts'

type ReadHead = { readonly head: RequestHead } | { readonly malformed: Malformed }

const OTHER_VERSION: Malformed = Object.freeze({ status: 505, reason: 'The only version of HTTP spoken is 1.1.' })

export function readHead(request: IncomingMessage): ReadHead {
  if (request.httpVersion !== '1.1') return { malformed: OTHER_VERSION }
  const method = knownMethod(request.method ?? '')
  if (method === undefined) return { malformed: UNKNOWN_METHOD }
  const headers = new Map<string, string>()
  const fault = readHeaders(request.rawHeaders, headers)
  if (fault !== undefined) return { malformed: badRequest(fault) }
  const { path, query } = splitTarget(request.url ?? '')
  const malformed = findFault(path, query, headers)
  if (malformed !== undefined) return { malformed }
  return { head: { method, path, query, headers, remoteAddress: shortAddress(request.socket.remoteAddress) } }
}

/** What Node's own parser refused, in the words and with the status that the gateway has for it. */
export function parserFault(error: NodeJS.ErrnoException): Malformed {
  if (error.code === 'HPE_HEADER_OVERFLOW') return HEAD_TOO_LARGE
  if (error.code === 'HPE_INVALID_METHOD') return UNKNOWN_METHOD
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return { status: 408, reason: 'The request did not come in time.' }
  return badRequest(`The request is malformed: ${error.message.replace(/^Parse Error: /, '')}.`)
}

/** Not from `request.headers`, which silently drops what came twice. */
function readHeaders(raw: readonly string[], headers: Map<string, string>): string | undefined {
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const fault = addHeader(headers, (raw[index] ?? '').toLowerCase(), inUtf8(raw[index + 1] ?? ''))
    if (fault !== undefined) return fault
  }
  return undefined
}

/** Node reads each byte as a character of its own; uWebSockets reads UTF-8, which is what clients send. */
function inUtf8(value: string): string {
  return /[\x80-\xff]/.test(value) ? Buffer.from(value, 'latin1').toString() : value
}

function splitTarget(target: string): { path: string; query: string } {
  const mark = target.indexOf('?')
  return mark === -1 ? { path: target, query: '' } : { path: target.slice(0, mark), query: target.slice(mark + 1) }
}
