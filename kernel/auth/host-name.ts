/**
 * The text of a `Host` or `Origin` header, taken apart by their own grammars and not by a URL parser's: that one would
 * forgive spellings (`http:\\host`, `user@host`, `0x7f.1`) which no browser sends and which two programs read differently.
 * It does not know which names are good.
 */
import { isIPv4 } from 'node:net'
import { isLoopback, shortest } from './address.ts'

export interface HostName {
  /** Lower case, without a final dot; an IPv6 address without brackets, in its shortest form. */
  readonly name: string
  readonly port: number | undefined
  /** Whether the name is an IP address, which no DNS answer can change. */
  readonly isAddress: boolean
}

export interface OriginName {
  /** The whole origin in one spelling. */
  readonly text: string
  readonly host: HostName
  /** What the scheme implies; undefined where it is neither http nor https. */
  readonly defaultPort: number | undefined
}

/** `name`, `name:port`, `[address]` or `[address]:port`. */
const HOST = /^(?:\[([0-9a-f]*:[0-9a-f:.]{1,44})\]|([a-z0-9._-]{1,254}))(?::(\d{1,5}))?$/i
const ORIGIN = /^([a-z][a-z0-9+.-]{0,31}):\/\/(.+)$/i
const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([['http', 80], ['https', 443]])

/** The last text and what it says: nearly every request names the gateway in the same way. */
let last: { readonly text: string; readonly host: HostName | undefined } = { text: '', host: undefined }

/** Undefined where the text is not exactly one host with at most one port. */
export function parseHost(text: string): HostName | undefined {
  if (text !== last.text) last = { text, host: readHost(text) }
  return last.host
}

function readHost(text: string): HostName | undefined {
  const [matched, bracketed, plain, digits] = HOST.exec(text) ?? []
  if (matched === undefined) return undefined
  const port = digits === undefined ? undefined : Number(digits)
  if (port !== undefined && port > 65_535) return undefined
  const name = bracketed === undefined ? nameIn(plain ?? '') : shortest(bracketed)
  return name === undefined ? undefined : { name, port, isAddress: bracketed !== undefined || isIPv4(name) }
}

/** `scheme://host` or `scheme://host:port`, and nothing else: `null`, paths, and several origins are undefined. */
export function parseOrigin(text: string): OriginName | undefined {
  const [, scheme, rest] = ORIGIN.exec(text)?.map((part) => part.toLowerCase()) ?? []
  const host = parseHost(rest ?? '')
  if (scheme === undefined || host === undefined) return undefined
  const defaultPort = DEFAULT_PORTS.get(scheme)
  const name = host.name.includes(':') ? `[${host.name}]` : host.name
  const port = host.port === undefined || host.port === defaultPort ? '' : `:${host.port}`
  return { text: `${scheme}://${name}${port}`, host, defaultPort }
}

/** localhost, 127.0.0.0/8 and ::1. */
export function isLoopbackName(name: string): boolean {
  return name === 'localhost' || isLoopback(name)
}

/** A name with its final dot off, or undefined for what is neither a name nor an address in its usual spelling. */
function nameIn(text: string): string | undefined {
  const name = text.toLowerCase().replace(/\.$/, '')
  if (name.split('.').some((label) => label === '' || label.length > 63)) return undefined
  // Names whose last label is a number are addresses to a browser, whatever their spelling: 127.1, 0177.0.0.1, 0x7f000001.
  const last = name.slice(name.lastIndexOf('.') + 1)
  return /^(?:\d+|0x[0-9a-f]*)$/.test(last) && !isIPv4(name) ? undefined : name
}
