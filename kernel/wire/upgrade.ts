/**
 * Whether somebody may open a socket, decided from the head of the request alone: is it meant for us, is it often enough,
 * and whose credential rides in it. No credential is no refusal: such a socket has a few seconds to show one.
 */
import type { Caller, Dialect, Refusal } from '@isopod/plugin-api'
import { checkHost, checkOrigin } from '../auth/origin.ts'
import { clientOf } from '../auth/address.ts'
import { presented } from '../auth/credentials.ts'
import type { Front } from '../front.ts'
import { refusalReply, tooOften } from '../http/reply.ts'
import type { RequestHead } from '../transport/exchange.ts'
import type { UpgradeDecision } from '../transport/transport.ts'
import { byPath, bySubprotocol, inOrder } from './recognize.ts'

/** What the connection is told of its upgrade. */
export interface Admission {
  readonly caller: Caller | undefined
  /** Decided already, where a subprotocol or the path decides. */
  readonly dialect: string | undefined
  /** Gives the credential's connection back. */
  readonly release: () => void
}

/** Sockets are opened here, whatever they speak (WIRE section 2); a dialect may bring further paths. */
const PATHS = ['/', '/ws']

/** A stranger does not learn where sockets are opened. */
const UNAUTHORIZED: Refusal = { code: 'unauthorized', message: 'Unauthorized' }

/** Nobody knows when one will be closed; a client that asks every few seconds costs nothing. */
const SEAT_RETRY_SECONDS = 5

export const TOO_MANY_SOCKETS: Refusal = {
  code: 'rate_limited',
  message: 'Too many open sockets for this credential: close one first',
  retryable: true,
  retryAfterSeconds: SEAT_RETRY_SECONDS,
}

export function decideUpgrade(front: Front, head: RequestHead): UpgradeDecision {
  const turnedAway = checkHost(head, front.names()) ?? checkOrigin(head, front.names())
  if (turnedAway) return refused(head, turnedAway.refusal, turnedAway.status)
  const caller = callerOf(front, head)
  if ('code' in caller) return refused(head, caller)
  const dialects = inOrder(front.core.current(), front.dialects())
  const atPath = byPath(dialects, head.path)
  if (!PATHS.includes(head.path) && !atPath) return refused(head, caller.caller ? nothingAt(head.path) : UNAUTHORIZED)
  return admitted(front, head, caller.caller, dialects, atPath)
}

function callerOf(front: Front, head: RequestHead): { caller: Caller | undefined } | Refusal {
  const shown = presented(head, { queryAllowed: true }) !== undefined
  const verdict = front.auth().authenticateHead(head)
  // Where authentication is off, everybody on this machine has a caller without showing anything.
  if (!verdict.refusal) return { caller: verdict.caller }
  return shown ? verdict.refusal : { caller: undefined }
}

function admitted(
  front: Front,
  head: RequestHead,
  caller: Caller | undefined,
  dialects: readonly Dialect[],
  atPath: Dialect | undefined,
): UpgradeDecision {
  const key = caller?.id ?? `address:${clientOf(head.remoteAddress)}`
  const wait = front.throttle().take(key, caller ? 'request' : 'stranger')
  if (wait !== undefined) {
    return refused(head, tooOften(wait))
  }
  const release = front.throttle().connect(key)
  if (!release) return refused(head, TOO_MANY_SOCKETS)
  const chosen = bySubprotocol(dialects, head.headers.get('sec-websocket-protocol'))
  const admission: Admission = { caller, dialect: chosen?.dialect.name ?? atPath?.name, release }
  return { accept: true, data: admission, ...(chosen && { subprotocol: chosen.subprotocol }) }
}

function refused(head: RequestHead, refusal: Refusal, status?: number): UpgradeDecision {
  return { accept: false, ...refusalReply(refusal, head.path, status) }
}

function nothingAt(path: string): Refusal {
  return { code: 'not_found', message: `No socket is opened at ${path}` }
}
