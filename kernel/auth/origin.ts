/**
 * Whether a request was meant for this gateway, told by its `Host` and `Origin`. Listening on loopback keeps other machines
 * out, but not the web pages open in the owner's browser: a page may open a WebSocket to 127.0.0.1 (browsers do not apply the
 * same-origin policy to that), and by DNS rebinding, where `evil.example` suddenly resolves to 127.0.0.1, it may even read
 * answers, since to the browser it is talking to itself. A rebound page cannot hide its own name in `Host`, and no page can
 * forge `Origin`. So both are checked on every request and every upgrade, before any credential is looked at.
 */
import { RpcError, type Refusal } from '@isopod/plugin-api'
import type { RequestHead } from '../transport/exchange.ts'
import { isWildcard } from './address.ts'
import { isLoopbackName, parseHost, parseOrigin, type HostName, type OriginName } from './host-name.ts'

/** What the owner says about the gateway's names. */
export interface NameRules {
  /** The addresses it listens on, as they were bound. */
  readonly bound: readonly string[]
  /** `gateway.hosts`: further names it is reached by. A port says nothing here. */
  readonly hosts: readonly string[]
  /** `gateway.origins`: pages from elsewhere that may use it, `https://page.example`, any scheme. */
  readonly origins: readonly string[]
  /** `gateway.cors.origins`: pages from elsewhere that may use it and read its answers. */
  readonly cors?: readonly string[]
}

/** The same, checked and normalized once. */
export interface Names {
  readonly hosts: ReadonlySet<string>
  readonly origins: ReadonlySet<string>
  /** Those of `origins` that may read answers. */
  readonly cors: ReadonlySet<string>
  /** Whether any IP address is accepted as a name. */
  readonly anyAddress: boolean
}

/** A request that is turned away. 421 is "misdirected" (RFC 9110, 15.5.20): right machine, wrong name. */
export interface TurnedAway {
  readonly status: 421 | 403
  readonly refusal: Refusal
}

/** Throws `invalid_request`, naming the entry, where one is no name or no origin. */
export function namesOf({ bound, hosts, origins, cors = [] }: NameRules): Names {
  const names = hosts.map((entry) => {
    const host = parseHost(entry)
    if (host === undefined) throw malformed('gateway.hosts', entry, 'a host name or an address, like gateway.example')
    return host.name
  })
  const readers = originsOf(cors, 'gateway.cors.origins')
  const addresses = bound.flatMap((address) => parseHost(address.includes(':') ? `[${address}]` : address)?.name ?? [])
  return Object.freeze({
    hosts: new Set([...names, ...addresses]),
    origins: new Set([...originsOf(origins, 'gateway.origins'), ...readers]),
    cors: new Set(readers),
    // Bound to every address, the gateway cannot know them all (a container's host, a router's forwarding). An address in
    // Host is no danger: nobody can make a number resolve to something else.
    anyAddress: bound.some(isWildcard),
  })
}

function originsOf(entries: readonly string[], param: string): readonly string[] {
  return entries.map((entry) => {
    const origin = parseOrigin(entry.replace(/\/$/, ''))
    if (origin === undefined) throw malformed(param, entry, 'an origin, like https://page.example')
    return origin.text
  })
}

/**
 * Refuses a `Host` that is absent, repeated, malformed, or none of the
 * gateway's names. The port may be any: tunnels change it.
 */
export function checkHost(head: Pick<RequestHead, 'headers'>, names: Names): TurnedAway | undefined {
  const sent = head.headers.get('host')
  const host = sent === undefined ? undefined : parseHost(sent)
  if (host !== undefined && isOurs(host, names)) return undefined
  const name = host === undefined ? 'a Host header that names it' : `the name '${host.name}'`
  const advice = host === undefined ? 'send one' : 'add it to gateway.hosts if it should be'
  return turnedAway(421, 'invalid_request', `This gateway is not reached by ${name}: ${advice}`, 'host')
}

/**
 * Refuses a page that is neither the gateway's own nor one of `gateway.origins`. The gateway's own are those whose host and
 * port are what `Host` says, and those on this port of another loopback name. The scheme is not compared: behind a proxy the
 * page's is https and ours is not. No `Origin` at all means no page: command lines and SDKs send none.
 */
export function checkOrigin(head: Pick<RequestHead, 'headers'>, names: Names): TurnedAway | undefined {
  const sent = head.headers.get('origin')
  if (sent === undefined) return undefined
  // 'null' is what sandboxed frames, files and redirects send: anyone's page can have it.
  const origin = parseOrigin(sent)
  if (origin !== undefined && (names.origins.has(origin.text) || isOwnPage(origin, head, names))) return undefined
  const page = origin === undefined ? 'Pages without a proper origin' : `Pages from ${origin.text}`
  const advice = origin === undefined ? '' : ': add it to gateway.origins if they should'
  return turnedAway(403, 'forbidden', `${page} may not use this gateway${advice}`, 'origin')
}

function isOurs(host: HostName, names: Names): boolean {
  return isLoopbackName(host.name) || names.hosts.has(host.name) || (names.anyAddress && host.isAddress)
}

function isOwnPage(origin: OriginName, { headers }: Pick<RequestHead, 'headers'>, names: Names): boolean {
  const host = parseHost(headers.get('host') ?? '')
  if (host === undefined || !isOurs(host, names) || origin.defaultPort === undefined) return false
  const samePort = (origin.host.port ?? origin.defaultPort) === (host.port ?? origin.defaultPort)
  return samePort && (origin.host.name === host.name || (isHome(origin.host.name) && isHome(host.name)))
}

/** The loopback names the gateway itself holds the port of; 127.0.0.2 may be another program's. */
function isHome(name: string): boolean {
  return name === 'localhost' || name === '127.0.0.1' || name === '::1'
}

function turnedAway(status: TurnedAway['status'], code: Refusal['code'], message: string, param: string): TurnedAway {
  return { status, refusal: { code, message, param } }
}

function malformed(param: string, entry: string, wanted: string): RpcError {
  return new RpcError('invalid_request', `${param} has '${entry}', which is not ${wanted}`, { param })
}
