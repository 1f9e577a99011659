/** Which methods may be asked twice: those that only look. Everything else is sent once, and its failure told. */

/** The second half of a method's name, where it changes nothing. */
const LOOKS: ReadonlySet<string> = new Set([
  'get', 'list', 'status', 'stats', 'search', 'read', 'schema', 'history', 'inspect', 'top', 'ping', 'health', 'methods', 'runs', 'subscribe', 'unsubscribe',
])

/** Whether a call of this method can be repeated and nothing is done twice. */
export function isIdempotent(method: string): boolean {
  return LOOKS.has(method.slice(method.indexOf('.') + 1))
}
