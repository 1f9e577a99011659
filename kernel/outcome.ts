/** How a call ended, as data: what a reply or a frame is spelled from. */
import { isRpcError, refusalOf, RpcError, type Outcome } from '@isopod/plugin-api'

export function succeeded(value: unknown): Outcome {
  return { ok: true, value }
}

export function refused(thrown: unknown): Outcome {
  return { ok: false, refusal: refusalOf(asRefusal(thrown)) }
}

/** What crosses the wire of something thrown: itself, or `internal` and nothing of what it was. */
export function asRefusal(thrown: unknown): RpcError {
  return isRpcError(thrown) ? thrown : new RpcError('internal', 'Internal error', { cause: thrown })
}
