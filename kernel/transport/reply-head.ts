/**
 * What the head of every reply has in common: which statuses carry no body, which headers belong to the transport alone,
 * and that no value can break out of its line. uWebSockets writes what it is given, so a line break in a value would
 * split the reply.
 */

/** RFC 9110, 15, as far as a gateway says it. Not from `node:http`, which takes 4 ms to load where nothing else needs it. */
const PHRASES: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  206: 'Partial Content',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  421: 'Misdirected Request',
  422: 'Unprocessable Content',
  426: 'Upgrade Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
}

/** The transport frames the body; a second opinion about its length would break the connection. */
const OURS: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding'])
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const BREAKS = /[\0\r\n]/
const NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/

/** Names and values that are safe to write. */
export type SendableHeaders = readonly (readonly [string, string])[]

const lines = new Map<number, string>()

/** `404 Not Found`. */
export function statusLine(status: number): string {
  let line = lines.get(status)
  if (line === undefined) lines.set(status, (line = `${status} ${PHRASES[status] ?? 'Unnamed'}`))
  return line
}

/** RFC 9110, 6.4.1: neither has a body, whatever the handler gave. */
export function isBodyless(status: number): boolean {
  return status === 204 || status === 304
}

/** Of headers that cannot change any more: most replies have the same ones. */
const checked = new WeakMap<object, SendableHeaders>()

/** The headers that go on the wire. Throws where one could split the reply: that is a bug of the caller. */
export function sendableHeaders(headers: Readonly<Record<string, string>>): SendableHeaders {
  const known = checked.get(headers)
  if (known !== undefined) return known
  const sendable = sendableOf(headers)
  if (Object.isFrozen(headers)) checked.set(headers, sendable)
  return sendable
}

function sendableOf(headers: Readonly<Record<string, string>>): SendableHeaders {
  const sendable: (readonly [string, string])[] = []
  for (const name in headers) {
    const value = String(headers[name])
    if (!NAME.test(name) || BREAKS.test(value)) {
      throw new Error(`The reply header ${JSON.stringify(name)} cannot be sent: it would split the reply`)
    }
    if (!OURS.has(name.toLowerCase())) sendable.push([name, value])
  }
  return sendable
}
