/** Reading a request whose shape nobody vouches for: each reader answers the value in its type or throws `invalid_request` with its name. */
import { isRpcError, refusalOf, RpcError, type Json, type JsonObject, type RouteDecoded } from '@isopod/plugin-api'

/** What a row makes of a request, or the refusal that reading it threw. */
export function reading(read: () => RouteDecoded): RouteDecoded {
  try {
    return read()
  } catch (thrown) {
    if (!isRpcError(thrown)) throw thrown
    return { refuse: refusalOf(thrown) }
  }
}

export function wrong(param: string, problem: string): RpcError {
  return new RpcError('invalid_request', `${param} ${problem}`, { param })
}

/** Clients send null for what they leave out. */
export function bodyOf(body: Json | undefined): JsonObject {
  if (!isObject(body)) throw new RpcError('invalid_request', 'Invalid request body: it must be a JSON object')
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null))
}

export function refuseUnknown(body: JsonObject, known: readonly string[]): void {
  const unknown = Object.keys(body).find((name) => !known.includes(name))
  if (unknown !== undefined) throw wrong(unknown, `is not known here; there are ${known.join(', ')}`)
}

export function text(value: Json | undefined, param: string): string {
  if (value === undefined) throw wrong(param, 'is required')
  if (typeof value !== 'string') throw wrong(param, 'must be text')
  return value
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a client would rather have a stream of events than one answer. */
export function wantsEvents({ accept = '' }: Readonly<Record<string, string>>): boolean {
  return accept.split(',').some((range) => /^\s*text\/event-stream\s*(?:;|$)/i.test(range) && !/;\s*q\s*=\s*0(?:\.0*)?\s*(?:;|$)/i.test(range))
}
