/** Reads a request's body: bounded in size and time, UTF-8, JSON. What it refuses it refuses before the rest of it has come. */
import { isRpcError, RpcError, type Json } from '@isopod/plugin-api'
import type { Clock } from '../clock.ts'
import { inTime } from '../deadline.ts'
import { parseJson } from '../json-input.ts'
import type { Exchange } from '../transport/exchange.ts'
import { bodyRoom } from './body-room.ts'

/** The body is of a kind this gateway does not read. Answered 415. */
export class UnsupportedMediaType extends RpcError {
  constructor(wanted: string, given: string, param: string) {
    super('invalid_request', `This gateway reads ${wanted}, not ${given}`, { param })
  }
}

export interface BodyBounds {
  readonly clock: Clock
  /** 0 is no bound, of either. */
  readonly bytes: number
  readonly seconds: number
}

/**
 * The parsed body, or a promise of it; undefined at once where there is none.
 * @throws RpcError `payload_too_large`, `unavailable`, `invalid_request`, `timeout`, `cancelled`; `UnsupportedMediaType`. Thrown or rejected.
 */
export function readBody(exchange: Exchange, bounds: BodyBounds): undefined | Promise<Json | undefined> {
  if (!hasBody(exchange)) return undefined
  const type = exchange.headers.get('content-type')
  if (type !== undefined && !isJson(type)) throw new UnsupportedMediaType('application/json', type, 'content-type')
  refuseCoded(exchange)
  return readText(exchange, bounds, false).then((text) => (text.trim() === '' ? undefined : parsed(text)))
}

/** The body as it came, of any type; otherwise as `readBody`. */
export function readTextBody(exchange: Exchange, bounds: BodyBounds): undefined | Promise<string> {
  if (!hasBody(exchange)) return undefined
  refuseCoded(exchange)
  return readText(exchange, bounds, true)
}

/** The words of seed 004 before what exactly is wrong. */
function parsed(text: string): Json {
  try {
    return parseJson(text)
  } catch (thrown) {
    if (!isRpcError(thrown)) throw thrown
    throw new RpcError('invalid_request', `Invalid request body: ${thrown.message}`, { cause: thrown })
  }
}

function hasBody({ headers }: Exchange): boolean {
  const length = headers.get('content-length')
  return length === undefined ? headers.has('transfer-encoding') : length !== '0'
}

function refuseCoded({ headers }: Exchange): void {
  const coding = headers.get('content-encoding')
  if (coding !== undefined && coding.toLowerCase() !== 'identity') {
    throw new UnsupportedMediaType('bodies as they are', coding, 'content-encoding')
  }
}

function readText(exchange: Exchange, { clock, bytes, seconds }: BodyBounds, keepsMark: boolean): Promise<string> {
  const late = () => new RpcError('timeout', `The body did not arrive within ${seconds} s`)
  return inTime(decoded(exchange, bytes === 0 ? Number.MAX_SAFE_INTEGER : bytes, keepsMark), { clock, ms: seconds * 1000, late })
}

/** `application/json`, with any parameters, and the kinds that say `+json`. */
function isJson(type: string): boolean {
  return /^\s*application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(type)
}

async function decoded(exchange: Exchange, maxBytes: number, keepsMark: boolean): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of exchange.body(maxBytes)) {
    bodyRoom.take(exchange, chunk.length)
    chunks.push(chunk)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: keepsMark }).decode(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))
  } catch (cause) {
    throw new RpcError('invalid_request', 'Invalid request body: it is not UTF-8', { cause })
  }
}
