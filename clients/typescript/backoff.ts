/** How long to wait before trying again: twice as long each time, up to a bound, and never the same for everyone. */
import type { GatewayError } from './gateway-error.ts'

/** Milliseconds, all of them. */
export interface BackoffOptions {
  readonly firstMs: number
  readonly mostMs: number
}

/**
 * Between half and all of what the attempt deserves, so that clients that lost the same gateway do not come back as one.
 * @param attempt 0 for the first.
 * @param random from 0 up to 1.
 */
export function backoff(attempt: number, { firstMs, mostMs }: BackoffOptions, random: () => number = Math.random): number {
  const whole = Math.min(mostMs, firstMs * 2 ** Math.min(attempt, 30))
  return Math.round(whole * (0.5 + random() / 2))
}

/** Between requests that are tried again. */
const BETWEEN_TRIES: BackoffOptions = { firstMs: 250, mostMs: 5_000 }
/** Seconds. Who is told to wait longer is better told at once. */
const LONGEST_WAIT = 60

/** Milliseconds before a refused request is tried again; undefined where it should not be. */
export function waitBefore(attempt: number, { retryable, retryAfter }: GatewayError): number | undefined {
  if (!retryable || (retryAfter !== undefined && retryAfter > LONGEST_WAIT)) return undefined
  return Math.max(backoff(attempt, BETWEEN_TRIES), (retryAfter ?? 0) * 1000)
}
