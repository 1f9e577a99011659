/**
 * What a gateway with every built-in plugin can be asked, read from its own generation: methods with their schemas, rows with
 * the methods they call, tools with theirs, events. What a plugin adds is fuzzed from then on without a word here.
 */
import { readdir } from 'node:fs/promises'
import type { Schema } from '@isopod/plugin-api'
import { testGateway } from '@isopod/testing'

export interface Row {
  readonly verb: string
  readonly path: string
  /** Of the method it calls. */
  readonly params: Schema | undefined
}

export interface Surface {
  /** An `endless` one may go on for as long as its caller stays, and is not waited for. */
  readonly methods: readonly { readonly name: string; readonly params: Schema | undefined; readonly endless: boolean }[]
  readonly rows: readonly Row[]
  readonly tools: readonly { readonly name: string; readonly params: Schema | undefined }[]
}

/** The plugins that come with the gateway are the folders there. */
export async function builtIn(): Promise<readonly string[]> {
  const folders = await readdir(new URL('../../plugins/', import.meta.url), { withFileTypes: true })
  return folders.filter((folder) => folder.isDirectory()).map(({ name }) => name).sort()
}

export async function readSurface(): Promise<Surface> {
  const gateway = await testGateway({ plugins: await builtIn() })
  try {
    const { methods, routes, tools } = gateway.kernel.generation
    return {
      methods: [...methods.values()].flatMap(({ item }) => (item.internal ? [] : [{ name: item.name, params: item.params, endless: item.deadlineMs === 0 }])),
      rows: [...routes.values()].map(({ item: { verb, path, call } }) => ({ verb, path, params: methods.get(call)?.item.params })),
      tools: [...tools.values()].map(({ item: { name, params } }) => ({ name, params })),
    }
  } finally {
    await gateway.close()
  }
}
