/** The parameters of a URL's query, for rows and methods: decoded, the last of each name, and never the credential. */

const NONE: Readonly<Record<string, string>> = Object.freeze({})
/** The two names under which a credential may ride in a query, which no method may therefore use there. */
const CREDENTIALS: ReadonlySet<string> = new Set(['token', 'password'])

export function parametersOf(query: string): Readonly<Record<string, string>> {
  if (query === '') return NONE
  return Object.fromEntries([...new URLSearchParams(query)].filter(([name]) => !CREDENTIALS.has(name)))
}
