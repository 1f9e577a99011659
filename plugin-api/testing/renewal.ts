/**
 * Makes plugins forget. Node keeps a module for as long as the process lives, so an import of the same file finds whatever
 * its variables hold; a URL with another query is another module. Every renewal gives the entries of plugins a query of its
 * own, and what they import from files beside them follows. Packages stay: they are not the plugin's memory.
 */
import { registerHooks } from 'node:module'
import type { Source } from '@isopod/kernel/lifecycle/catalog.ts'

const QUERY = 'renewal'
/** Never given twice in a process, so that no gateway finds what was left in the modules of another. */
let renewals = 0
let following = false

/**
 * Where the test runner counts what is reached, modules stay as they are: it counts each URL as a file of its own and shows
 * the last, which would be the one that was reached least. Instances are renewed all the same.
 */
function isCounted(): boolean {
  return process.env['NODE_V8_COVERAGE'] !== undefined
}

/**
 * The same plugins with modules that nobody has imported yet. One that is an object stays as it is: nothing can bring the
 * module it was made in anew. Neither is CommonJS imported twice.
 */
export function forgotten(sources: readonly Source[]): Source[] {
  if (isCounted()) return [...sources]
  follow()
  renewals += 1
  return sources.map((source) => (source.entry === undefined ? source : { ...source, entry: withRenewal(source.entry, String(renewals)) }))
}

/** From the first renewal on, in this whole thread. Imports that no renewed module makes are let pass. */
function follow(): void {
  if (following) return
  following = true
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context)
      const renewal = specifier.startsWith('.') ? renewalOf(context.parentURL) : null
      return renewal === null ? resolved : { ...resolved, url: withRenewal(resolved.url, renewal) }
    },
  })
}

function renewalOf(url: string | undefined): string | null {
  return url?.includes(`${QUERY}=`) ? new URL(url).searchParams.get(QUERY) : null
}

function withRenewal(url: string, renewal: string): string {
  const renewed = new URL(url)
  renewed.searchParams.set(QUERY, renewal)
  return renewed.href
}
