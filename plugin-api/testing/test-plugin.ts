/** The ways a test names a plugin, and what a gateway makes of each. */
import { fileURLToPath } from 'node:url'
import { API_VERSION, type Plugin } from '@isopod/plugin-api'
import { readSource, type Source } from '@isopod/kernel/lifecycle/catalog.ts'

/**
 * A plugin under test: the folder it lives in, the id of one that comes with the gateway, or the plugin itself. The first two
 * are imported anew at every renewal, with empty memory; an object cannot be, so what its module or its closures hold stays.
 */
export type TestPlugin = URL | string | { readonly id: string; readonly plugin: Plugin; readonly version?: string; readonly needs?: Readonly<Record<string, string>> }

/** Where it comes from, trusted as if it came with the gateway. Throws where the folder holds no plugin. */
export async function sourceOf(plugin: TestPlugin): Promise<Source> {
  if (typeof plugin === 'object' && 'plugin' in plugin) {
    const { id, version = '1.0.0', needs = {} } = plugin
    return { manifest: { id, name: id, version, entry: '', api: `^${API_VERSION}`, needs }, plugin: plugin.plugin, builtIn: true }
  }
  const folder = typeof plugin === 'string' ? new URL(`../../plugins/${plugin}/`, import.meta.url) : plugin
  const source = await readSource(fileURLToPath(folder), false)
  if (!source) throw new Error(`${folder.href} holds no plugin`)
  return { ...source, builtIn: true }
}
