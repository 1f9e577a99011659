/**
 * Which addresses the gateway listens on, and whether it may. Beyond loopback everybody on the network can reach it, so
 * without authentication it does not bind there at all: a gateway that runs commands for whoever connects is worse than
 * one that does not start. It opens no socket.
 */
import { isIP } from 'node:net'
import { RpcError } from '@isopod/plugin-api'
import { isLoopback } from './address.ts'

export interface BindWish {
  /** `loopback`, `all`, or an IP address: `gateway.bind`. */
  readonly bind: string
  readonly authEnabled: boolean
  /** Whether there is a token or a password at all. */
  readonly hasCredential: boolean
}

export interface Binding {
  /** Addresses to listen on, each with the same port. */
  readonly hosts: readonly string[]
  /** Whether only this machine can reach them. */
  readonly loopback: boolean
}

/** Throws `invalid_request`, naming what to change, where the gateway must not listen as it was asked to. */
export function checkBind(wish: BindWish): Binding {
  const hosts = hostsOf(wish.bind)
  const loopback = hosts.every(isLoopback)
  if (loopback) return { hosts, loopback }
  if (!wish.authEnabled) throw refusal(wish.bind, 'authentication is off', 'Set gateway.auth.enabled: true')
  if (!wish.hasCredential) {
    throw refusal(wish.bind, 'there is neither a token nor a password', 'Set gateway.auth.token or gateway.auth.password')
  }
  return { hosts, loopback }
}

/** The addresses that `gateway.bind` stands for. Throws `invalid_request` for what is neither a word of ours nor an address. */
export function hostsOf(bind: string): readonly string[] {
  if (bind === 'loopback' || bind === 'localhost') return ['127.0.0.1', '::1']
  if (bind === 'all') return ['0.0.0.0', '::']
  const address = bind.replace(/^\[(.*)\]$/, '$1')
  if (isIP(address) !== 0) return [address]
  throw new RpcError('invalid_request', `gateway.bind is '${bind}': it must be loopback, all, or an IP address of this machine`, {
    param: 'gateway.bind',
  })
}

function refusal(bind: string, problem: string, remedy: string): RpcError {
  const where = bind === 'all' ? 'every address of this machine' : bind
  return new RpcError(
    'invalid_request',
    `Refusing to listen on ${where}: ${problem}, so anyone who can reach it could use it. ${remedy}, or gateway.bind: loopback`,
    { param: 'gateway.bind' },
  )
}
