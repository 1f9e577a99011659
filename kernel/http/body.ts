/** Reads a request's body: bounded, UTF-8, JSON. What it refuses it refuses before the rest of the body has come. */
import { RpcError, type Json } from '@isopod/plugin-api'
import { parseJson } from '../json-input.ts'
import type { Exchange } from '../transport/exchange.ts'

/** The media type is not one this gateway reads. Answered 415. */
export class UnsupportedMediaType extends RpcError {
  constructor(given: string) {
    super('invalid_request', `This gateway reads application/json, not ${given}`, { param: 'content-type' })
  }
}

/**
 * The parsed body; undefined where there is none.
 * @throws RpcError `payload_too_large`, `invalid_request`, `cancelled`; `UnsupportedMediaType`.
 */
export async function readBody(exchange: Exchange, maxBytes: number): Promise<Json | undefined> {
  const { headers } = exchange
  const length = headers.get('content-length')
  if (length === '0' || (length === undefined && !headers.has('transfer-encoding'))) return undefined
  const type = headers.get('content-type')
  if (type !== undefined && !isJson(type)) throw new UnsupportedMediaType(type)
  const text = await readText(exchange, maxBytes === 0 ? Number.MAX_SAFE_INTEGER : maxBytes)
  return text.trim() === '' ? undefined : parseJson(text)
}

/** `application/json`, with any parameters, and the kinds that say `+json`. */
function isJson(type: string): boolean {
  return /^\s*application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(type)
}

async function readText(exchange: Exchange, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of exchange.body(maxBytes)) chunks.push(chunk)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))
  } catch (cause) {
    throw new RpcError('invalid_request', 'The body is not UTF-8', { cause })
  }
}
