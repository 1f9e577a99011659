/**
 * The methods the kernel serves itself, because only it can: what is loaded, who may come in, and who hears what. They are
 * a plugin like any other, except that they were handed what no plugin gets. Each noun has a file of its own.
 */
import { API_VERSION, definePlugin, type Plugin } from '@isopod/plugin-api'
import type { Source } from '../lifecycle/catalog.ts'
import { addConfig } from './config.ts'
import { addDescriptions } from './descriptions.ts'
import { addEvents } from './events.ts'
import { addLog } from './log.ts'
import { addOpenapi, openapiRow } from './openapi.ts'
import type { OwnParts } from './parts.ts'
import { addPlugins } from './plugins.ts'
import { addTokens } from './tokens.ts'

/** The kernel as a source of methods, to be wanted like any plugin. */
export function ownMethods(parts: OwnParts, version: string): Source {
  const plugin: Plugin = definePlugin((gateway) => {
    gateway.hooks.methods.tap('kernel', (methods) => {
      addDescriptions(methods, parts)
      addEvents(methods, parts)
      addPlugins(methods, parts)
      addTokens(methods, parts)
      addConfig(methods, parts)
      addLog(methods, parts)
      addOpenapi(methods, parts, version)
    })
    gateway.hooks.routes.tap('kernel', (routes) => routes.add(openapiRow))
  })
  const manifest = Object.freeze({ id: 'kernel', name: '@isopod/kernel', version, entry: '', api: `^${API_VERSION}`, needs: {} })
  return { manifest, plugin, builtIn: true }
}
