/** A plugin that is switched off is not there: not one of its methods, rows, dialects, tools, models or channels answers. */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { configOf } from '../openapi/stage.mjs'
import { gatewayFor, startGateway, type StartedGateway } from '../main-job/started.ts'
import { called, thingsOf, type Contributed, type Thing } from './presence.ts'

const PLUGINS = new URL('../../plugins/', import.meta.url)
/** Methods that only plugins call answer no client, on or off; the page of methods has them in its second part. */
const [, internal = ''] = (await readFile(new URL('../../docs/generated/methods.md', import.meta.url), 'utf8')).split('\n## For plugins only')
const isInternal = ({ name }: Thing) => internal.includes(`| \`${name.replace('method ', '')}\` |`)

/** A provider of each kind, so that each has something to offer. Nobody asks them anything. */
const KINDS = ['openai', 'anthropic', 'openai-compatible']
const PROVIDERS = Object.fromEntries(KINDS.map((api) => [api, { api, apiKey: 'none', baseUrl: 'http://127.0.0.1:9/v1', models: ['any'] }]))

const names = (await readdir(PLUGINS, { withFileTypes: true })).filter((one) => one.isDirectory()).map(({ name }) => name)

describe('a plugin that is switched off', () => {
  let gateway: StartedGateway
  before(async () => {
    gateway = await startGateway({ config: configWithout() })
  })
  after(() => gateway.remove())

  for (const id of names) {
    it(`takes with it everything it brought: ${id}`, async (t) => {
      // The kernel's own method answers this shape.
      const things = thingsOf((await called(gateway, 'plugin.inspect', { id })).result as unknown as Contributed)
      assert.ok(things.length > 0, 'it brings nothing')
      const without = await gatewayFor(t, { config: configWithout(id) })
      for (const thing of things) {
        assert.equal(await thing.isThere(gateway), !isInternal(thing), `${thing.name} while it is on`)
        assert.equal(await thing.isThere(without), false, `${thing.name} while it is off`)
      }
    })
  }
})

function configWithout(id?: string): string {
  // The stage writes an object with plugins.
  const config = JSON.parse(configOf()) as { readonly plugins: Readonly<Record<string, object>> }
  const plugins = id === undefined ? config.plugins : { ...config.plugins, [id]: { enabled: false } }
  return JSON.stringify({ ...config, models: { providers: PROVIDERS }, plugins })
}
