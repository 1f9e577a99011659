/**
 * Writes the reference pages of `docs/generated` from the tables that the code owns: `npm run docs`. A page holds nothing that is
 * written by hand, so it cannot say what the gateway does not do; a test fails where one is stale.
 */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { API_VERSION } from '@isopod/plugin-api'
import { testGateway } from '@isopod/testing'
import { openapiOf } from '@isopod/kernel/openapi/document.ts'
import { configPage } from './generator/config.ts'
import { errorsPage } from './generator/errors.ts'
import { hooksPage } from './generator/hooks.ts'
import { methodsPage } from './generator/methods.ts'
import { routesPage } from './generator/routes.ts'

/** Where the pages are. */
export const GENERATED = new URL('./generated/', import.meta.url)
/** The API's own: the gateway's version changes more often than what it says. */
const DESCRIBED_VERSION = API_VERSION
const PLUGINS = new URL('../plugins/', import.meta.url)

/** Every page by its file name, as it has to be now. */
export async function pages(): Promise<ReadonlyMap<string, string>> {
  const gateway = await testGateway({ plugins: await builtIn() })
  try {
    const { generation } = gateway.kernel
    return new Map([
      ['methods.md', methodsPage(generation)],
      ['routes.md', routesPage(generation)],
      ['errors.md', errorsPage()],
      ['openapi.json', `${JSON.stringify(openapiOf(generation, DESCRIBED_VERSION), null, 2)}\n`],
      ['hooks.md', await hooksPage(generation)],
      ['config.md', configPage(generation)],
    ])
  } finally {
    await gateway.close()
  }
}

/** The ids of the plugins that come with the gateway are the names of their folders. */
async function builtIn(): Promise<readonly string[]> {
  const folders = await readdir(PLUGINS, { withFileTypes: true })
  return folders.filter((folder) => folder.isDirectory()).map((folder) => folder.name).sort()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await mkdir(GENERATED, { recursive: true })
  for (const [name, text] of await pages()) await writeFile(new URL(name, GENERATED), text)
}
