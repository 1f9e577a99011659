/** Where a provider answers: the owner's `baseUrl`, or the vendor's own address. Any host may stand there, loopback included. */
import { RpcError } from '@isopod/plugin-api'
import type { Settings } from './roster.ts'

/** Throws `unavailable`, naming the field, where there is no address or it is none. The address itself is not repeated. */
export function addressOf(settings: Settings, vendorAddress: string | undefined): string {
  const field = `models.providers.${settings.id}.baseUrl`
  const given = settings.baseUrl ?? vendorAddress
  if (given === undefined) throw unusable(`${field} is missing: set it to the address of the server, usually ending in /v1`)
  const url = URL.parse(given)
  if (!url || !/^https?:$/.test(url.protocol)) throw unusable(`${field} is no address: it must begin with http:// or https://`)
  if (url.username !== '' || url.password !== '') throw unusable(`${field} holds a password: move it to apiKey or headers`)
  if (url.search !== '' || url.hash !== '') throw unusable(`${field} must end with its path, without ? or #`)
  return given.replace(/\/+$/, '')
}

function unusable(message: string): RpcError {
  return new RpcError('unavailable', message, { retryable: false })
}
