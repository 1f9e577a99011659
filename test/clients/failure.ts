/** What a client's promise or stream fails with. */
import { inspect } from 'node:util'
import { GatewayError } from '@isopod/client'

/** Rejects where it does not fail, or fails with anything else. */
export async function failureOf(work: Promise<unknown> | AsyncIterable<unknown>): Promise<GatewayError> {
  try {
    if (work instanceof Promise) await work
    else for await (const _ of work);
  } catch (thrown) {
    if (thrown instanceof GatewayError) return thrown
    throw new Error(`it failed with ${inspect(thrown)}`, { cause: thrown })
  }
  throw new Error('it did not fail')
}

/** What it says, as something to compare with. */
export function factsOf({ code, status, param, retryable }: GatewayError): Pick<GatewayError, 'code' | 'status' | 'param' | 'retryable'> {
  return { code, status, param, retryable }
}
