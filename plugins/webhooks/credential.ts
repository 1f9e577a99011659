/** The hooks' own credential: `hooks.token`, in either of the two headers. The gateway's own tokens mean nothing here. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { RpcError, type Context } from '@isopod/plugin-api'
import { settingsOf } from './settings.ts'

type Headers = Readonly<Record<string, string>>

/** @throws RpcError `unauthorized` where none was shown or it is another; `unavailable` where the config names none. */
export async function checkToken(headers: Headers, ctx: Context): Promise<void> {
  const { token } = settingsOf(ctx)
  const shown = shownIn(headers)
  if (shown === undefined) throw new RpcError('unauthorized', 'Unauthorized')
  if (token === undefined) {
    ctx.log.warn('A hook was called, and hooks.token is not set: nobody can be let in')
    throw new RpcError('unauthorized', 'Unauthorized')
  }
  if (!same(shown, await ctx.reveal(token))) throw new RpcError('unauthorized', 'Unauthorized')
}

function shownIn(headers: Headers): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(headers['authorization'] ?? '')?.[1]
  return bearer ?? headers['x-openclaw-token']
}

/** Compared by digest, so that the time tells nothing, the length included. */
export function same(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
