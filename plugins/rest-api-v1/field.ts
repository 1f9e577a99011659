/**
 * Reading a request whose shape nobody vouches for: each reader answers the value
 * in its type or throws `invalid_request` with its name.
 */
import {
  isObject,
  isRpcError,
  refusalOf,
  RpcError,
  wrongParam,
  type Json,
  type JsonObject,
  type RouteDecoded,
} from '@isopod/plugin-api'

/** What a row makes of a request, or the refusal that reading it threw. */
export function reading(read: () => RouteDecoded): RouteDecoded {
  try {
    return read()
  } catch (thrown) {
    if (!isRpcError(thrown)) throw thrown
    return { refuse: refusalOf(thrown) }
  }
}

/** Clients send null for what they leave out. */
export function bodyOf(body: Json | undefined): JsonObject {
  if (!isObject(body)) throw new RpcError('invalid_request', 'Invalid request body: it must be a JSON object')
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null))
}

export function refuseUnknown(body: JsonObject, known: readonly string[]): void {
  const unknown = Object.keys(body).find((name) => !known.includes(name))
  if (unknown !== undefined) throw wrongParam(unknown, `is not known here; there are ${known.join(', ')}`)
}

export function text(value: Json | undefined, param: string): string {
  if (value === undefined) throw wrongParam(param, 'is required')
  if (typeof value !== 'string') throw wrongParam(param, 'must be text')
  return value
}

/** Whether a client would rather have a stream of events than one answer. */
export function wantsEvents({ accept = '' }: Readonly<Record<string, string>>): boolean {
  return accept.split(',').some((range) => /^\s*text\/event-stream\s*(?:;|$)/i.test(range) && !/;\s*q\s*=\s*0(?:\.0*)?\s*(?:;|$)/i.test(range))
}
