/** Why a database is not opened: thrown in the store's thread, and again on the gateway's side of it. */
import type { OpenReason } from './message.ts'

/** The message names the file and says what its owner can do. It is for the owner and not for callers. */
export class OpenRefusal extends Error {
  override readonly name = 'OpenRefusal'
  readonly reason: OpenReason

  constructor(reason: OpenReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.reason = reason
  }
}
