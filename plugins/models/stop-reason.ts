/** Why a call was stopped, as a refusal: what the kernel gave as the reason, or that it was cancelled. */
import { isRpcError, RpcError } from '@isopod/plugin-api'

/** For a signal that has been aborted. */
export function stopReason(signal: AbortSignal): RpcError {
  const reason: unknown = signal.reason
  return isRpcError(reason) ? reason : new RpcError('cancelled', 'The request to the model was cancelled')
}
