import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { JsonObject } from '@isopod/plugin-api'
import { checkConfig } from '../../kernel/config/check.ts'
import { readSource } from '../../kernel/lifecycle/catalog.ts'
import { wantedPlugins } from '../../kernel/lifecycle/wanted.ts'

/** A home with one plugin in a folder. */
async function home(t: TestContext, isopod: JsonObject, version = '1.2.3'): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'isopod-wanted-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  await mkdir(join(path, 'mine'))
  await writeFile(join(path, 'mine', 'package.json'), JSON.stringify({ name: 'mine', version, exports: './index.js', isopod }))
  return path
}

async function wanted(path: string, config: JsonObject) {
  const checked = checkConfig(structuredClone(config) as Record<string, unknown>).config
  assert.ok(checked)
  return wantedPlugins({ config: checked, builtIn: [], home: path })
}

test('a plugin from elsewhere is walled unless the owner says otherwise in so many words', async (t) => {
  const path = await home(t, { id: 'mine', api: '^1.0.0' })
  assert.equal((await wanted(path, { plugins: { mine: { from: './mine' } } })).plugins[0]?.trust, 'walled')
  assert.equal((await wanted(path, { plugins: { mine: { from: './mine', trust: 'full' } } })).plugins[0]?.trust, 'trusted')
})

test('a plugin from elsewhere owns no section of the config, whatever its manifest says', async (t) => {
  const path = await home(t, { id: 'mine', api: '^1.0.0', section: 'models' })
  const { plugins } = await wanted(path, { models: { providers: { a: { api: 'openai', apiKey: 'sk-secret' } } }, plugins: { mine: { from: './mine', config: { own: 1 } } } })
  assert.deepEqual(plugins[0]?.config, { own: 1 })
})

test('what cannot be read is told in the owner\'s words for the place, and the rest is still wanted', async (t) => {
  const path = await home(t, { id: 'mine', api: '^1.0.0' })
  const { plugins, unreadable } = await wanted(path, { plugins: { mine: { from: './mine' }, gone: { from: './gone' }, other: { from: './mine' }, nowhere: {} } })
  assert.deepEqual(plugins.map(({ source }) => source.manifest.id), ['mine'])
  assert.deepEqual(Object.fromEntries(unreadable.map(({ id, reason }) => [id, reason])), {
    gone: './gone has no package.json that can be read',
    other: 'the plugin in ./mine is mine, not other',
    nowhere: 'there is no plugin nowhere here; say where it comes from: plugins.nowhere.from',
  })
})

test('a manifest with a key that nothing enforces is refused, and everything wrong with it is told', async (t) => {
  const path = await home(t, { id: 'Mine!', api: '^1.0.0', grants: {} })
  await assert.rejects(readSource(join(path, 'mine'), false), /grants.*is not known here|id/)
})

test('a version the owner did not ask for is not loaded', async (t) => {
  const path = await home(t, { id: 'mine', api: '^1.0.0' }, '2.0.0')
  const { unreadable } = await wanted(path, { plugins: { mine: { from: './mine', version: '^1.0.0' } } })
  assert.deepEqual(unreadable, [{ id: 'mine', reason: 'the config wants mine ^1.0.0, and 2.0.0 is there' }])
})

test('a package.json that is no object, or no JSON, is told with its folder; fields of the wrong type count as absent', async (t) => {
  const path = await home(t, { id: 'mine', api: '^1.0.0' })
  const file = join(path, 'mine', 'package.json')
  const reason = async () => (await wanted(path, { plugins: { mine: { from: './mine' } } })).unreadable[0]?.reason
  for (const text of ['null', '[]', '5']) {
    await writeFile(file, text)
    assert.equal(await reason(), './mine/package.json holds no JSON object')
  }
  await writeFile(file, '{')
  assert.equal(await reason(), './mine/package.json is not valid JSON')
  await writeFile(file, JSON.stringify({ name: 5, version: {}, main: 7, isopod: { id: 'mine', api: '^1.0.0' } }))
  const { name, version, entry } = (await readSource(join(path, 'mine'), false))?.manifest ?? {}
  assert.deepEqual({ name, version, entry }, { name: 'mine', version: '0.0.0', entry: './index.js' })
})
