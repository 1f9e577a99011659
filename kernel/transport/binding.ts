/**
 * Taking one port on several addresses, whichever library listens. All of them get the same port or none is kept; an
 * address whose family this machine does not have is left out, as long as another is bound. What fails becomes a
 * sentence for the owner.
 */
import { isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { hostPort } from './address.ts'
import { portHolder } from './port-holder.ts'

/** One address that is listened on. */
export interface Listening {
  readonly port: number
  /** Stops listening there. */
  release(): void
}

export interface Binding {
  readonly port: number
  readonly hosts: readonly string[]
  release(): void
}

interface BindRequest {
  readonly hosts: readonly string[]
  readonly port: number
  /** Rejects with an error that has Node's `code`. */
  readonly bind: (host: string, port: number) => Promise<Listening>
}

/** A free port on the first address may be taken on the second; then another is tried. */
const FREE_PORT_ATTEMPTS = 5

/** Rejects with a sentence that names the address, who holds it where that can be found out, and what to do. */
export async function bindAll(request: BindRequest): Promise<Binding> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await bindOnce(request)
    } catch (error) {
      const mayTryAnother = request.port === 0 && error instanceof Unbound && error.code === 'EADDRINUSE' && attempt < FREE_PORT_ATTEMPTS
      if (!mayTryAnother) throw error instanceof Unbound ? await explain(error) : error
    }
  }
}

async function bindOnce({ hosts, port, bind }: BindRequest): Promise<Binding> {
  const bound: Listening[] = []
  const names: string[] = []
  let missing: Unbound | undefined
  const release = () => bound.forEach((listening) => listening.release())
  for (const host of wildcardFirst(hosts)) {
    const wanted = bound[0]?.port ?? port
    // `::` takes the IPv4 addresses as well.
    if (host === '0.0.0.0' && names.includes('::')) names.push(host)
    else {
      try {
        bound.push(await bind(host, wanted))
        names.push(host)
      } catch (cause) {
        const unbound = new Unbound(host, wanted, cause)
        if (!isFamilyMissing(host, unbound.code)) {
          release()
          throw unbound
        }
        missing = unbound
      }
    }
  }
  const [first] = bound
  if (first === undefined) throw missing ?? new Error('There is no address to listen on.')
  return { port: first.port, hosts: hosts.filter((host) => names.includes(host)), release }
}

function wildcardFirst(hosts: readonly string[]): readonly string[] {
  return hosts.includes('::') ? ['::', ...hosts.filter((host) => host !== '::')] : hosts
}

/** The machine has no IPv6 at all, which is no mistake of the owner; an address that is not this machine's is one. */
function isFamilyMissing(host: string, code: string): boolean {
  if (code === 'EAFNOSUPPORT') return true
  if (code !== 'EADDRNOTAVAIL' || !isIPv6(host)) return false
  if (host === '::1' || host === '::') return true
  return !Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ family }) => family === 'IPv6'))
}

const REMEDIES: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL: 'this machine does not have that address. Change gateway.bind in the config.',
  EAFNOSUPPORT: 'this machine does not have that kind of address. Change gateway.bind in the config.',
  EACCES: 'permission denied. Choose a port above 1023 (--port, or gateway.port in the config).',
}

class Unbound extends Error {
  readonly host: string
  readonly port: number
  readonly code: string

  constructor(host: string, port: number, cause: unknown) {
    super(`${hostPort(host, port)} cannot be listened on`, { cause })
    this.host = host
    this.port = port
    // Node puts the system's name of the error there.
    this.code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
  }
}

async function explain({ host, port, code, cause }: Unbound): Promise<Error> {
  return new Error(`${hostPort(host, port)} ${await predicate(code, port, cause)}`, { cause })
}

async function predicate(code: string, port: number, cause: unknown): Promise<string> {
  if (code === 'EADDRINUSE') {
    const holder = await portHolder(port)
    return `is in use by ${holder ?? 'another process'}. Stop it, or choose another port (--port, or gateway.port in the config).`
  }
  return `cannot be listened on: ${REMEDIES[code] ?? (cause instanceof Error ? cause.message : String(cause))}`
}
