/**
 * What a walled plugin may import: files, and the plugin API, of which there is one copy. Node's own modules are refused by
 * name, with what to do instead, so that a plugin which needs one is found out here and not where the wall is higher.
 */
import { isBuiltin, registerHooks } from 'node:module'

const API = '@isopod/plugin-api'

/** From here on, in this whole process. The child's own modules are loaded before. */
export function restrictImports(apiUrl: string): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (specifier === API) return { url: apiUrl, shortCircuit: true }
      if (isBuiltin(specifier)) throw new Error(refusedImport(specifier))
      const resolved = nextResolve(specifier, context)
      if (!resolved.url.startsWith('file:')) throw new Error(`\`${specifier}\` cannot be imported behind the wall: only files can`)
      return resolved
    },
  })
}

function refusedImport(specifier: string): string {
  const instead = 'use the web\'s API or the context, or ask the owner to trust this plugin'
  return `\`${specifier}\` is Node's own and cannot be imported behind the wall: ${instead}`
}
