/** The body of a hook, as data: JSON, or a form, which GitHub sends unless told otherwise (its field `payload` is JSON then). */
import { isObject, RpcError, type Json, type JsonObject } from '@isopod/plugin-api'

/** @throws RpcError `invalid_request` where it is neither. */
export function payloadOf(body: string, type: string | undefined): Json {
  if (body.trim() === '') return {}
  if (type !== undefined && /^\s*application\/x-www-form-urlencoded/i.test(type) && !/^\s*[{[]/.test(body)) return formOf(body)
  return parsed(body)
}

/** @throws RpcError `invalid_request` where the body is no JSON object. */
export function objectOf(body: string): JsonObject {
  const value = parsed(body)
  if (isObject(value)) return value
  throw new RpcError('invalid_request', 'Invalid request body: it must be a JSON object')
}

function formOf(body: string): Json {
  const fields = new URLSearchParams(body)
  const payload = fields.get('payload')
  return payload === null ? Object.fromEntries(fields) : parsed(payload)
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch (cause) {
    throw new RpcError('invalid_request', `Invalid request body: it is not JSON (${(cause as Error).message})`, { cause })
  }
}
