import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Plugin } from '@isopod/plugin-api'
import { testGateway } from '@isopod/testing'
import { gatewayFor } from '../main-job/started.ts'
import { filesOf, folderWith } from './author-page.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const DESIGNED = `import { definePlugin } from '@isopod/plugin-api'

export default definePlugin((gateway) => {
  gateway.hooks.methods.tap('hello', (methods) => methods.add({
    name: 'hello.say',
    scope: 'read',
    params: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
    handle: ({ name }) => ({ text: \`Hello, \${name}.\` }),
  }))
})
`

describe('the pages for authors', () => {
  it('show the same hello as the README', async () => {
    const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
    assert.equal((await filesOf('write-a-plugin.md')).get('hello/index.ts'), DESIGNED)
    assert.ok(readme.includes(DESIGNED.replaceAll(/^(?=.)/gm, '    ')))
  })

  it('lead to a plugin that runs, from a folder outside of the repository, as soon as the config names it', async (test) => {
    const files = new Map(await filesOf('write-a-plugin.md'))
    const config = files.get('gateway.yaml') ?? ''
    files.delete('gateway.yaml')
    const home = await folderWith(files, test)
    const gateway = await gatewayFor(test, { home })
    const socket = await gateway.socket()
    test.after(() => socket.close())
    await socket.call('events.subscribe', { events: ['config.changed'] })
    await writeFile(join(home, 'gateway.yaml'), config)
    await socket.first((frame) => frame['type'] === 'config.changed')
    const env = { ISOPOD_URL: gateway.url.replace('http', 'ws'), ISOPOD_TOKEN: gateway.token }
    assert.deepEqual(await ran(process.execPath, [join(home, 'call.mjs')], env), { code: 0, printed: 'Hello, you.\n' })
  })

  it('lead to a tool that the offline model calls in a started gateway', async (test) => {
    const gateway = await gatewayFor(test, { home: await folderWith(await filesOf('write-a-tool.md'), test) })
    const body = JSON.stringify({ model: 'isopod/offline', messages: [{ role: 'user', content: '/call dice_roll {"sides":6}' }] })
    const answer = await gateway.fetch('/v1/chat/completions', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    assert.match(await answer.text(), /shows/)
  })

  it('show a row and a dialect that work', async (test) => {
    const folder = await folderWith(await filesOf('dialects.md'), test)
    const [row, shout] = [await pluginIn(folder, 'notes-route'), await pluginIn(folder, 'shout')]
    const gateway = await testGateway({ plugins: ['chat', 'models', 'sessions', 'tools', { id: 'row', plugin: row }, { id: 'shout', plugin: shout }] })
    test.after(() => gateway.close())
    const asked = await gateway.fetch('/my/ask', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"question":"Hello!"}' })
    assert.match(((await asked.json()) as { answer: string }).answer, /Hello!/)
    const socket = await gateway.connect('/', { 'sec-websocket-protocol': 'shout.v1' })
    socket.send({ SAY: 'Hello!' })
    const said = await socket.first((frame) => frame['NUMBER'] === 1)
    assert.match(String(said?.['HEARD']), /Hello!/)
  })

  for (const page of ['write-a-plugin.md', 'write-a-tool.md']) {
    it(`have tests that pass as they stand: ${page}`, async (test) => {
      const files = await filesOf(page)
      const folder = await folderWith(files, test)
      const tests = [...files.keys()].filter((path) => path.endsWith('.test.ts')).map((path) => join(folder, path))
      assert.ok(tests.length > 0)
      // Said by the runner to its children, and not to be believed by a run of its own.
      const { code, printed } = await ran(process.execPath, [join(ROOT, 'test/run.mjs'), ...tests], { NODE_TEST_CONTEXT: undefined })
      assert.equal(code, 0, printed)
      assert.match(printed, /fail 0/)
      assert.doesNotMatch(printed, /tests 0/)
    })
  }

  it('hold to the types of the plugin API', async (test) => {
    const pages = await Promise.all(['write-a-plugin.md', 'write-a-tool.md', 'dialects.md'].map(filesOf))
    const folder = await folderWith(new Map([['package.json', '{"type":"module"}'], ...pages.flatMap((files) => [...files])]), test)
    const paths = { '@isopod/plugin-api': [join(ROOT, 'plugin-api/index.ts')], '@isopod/testing': [join(ROOT, 'plugin-api/testing/index.ts')] }
    const compilerOptions = { paths, types: ['node'], typeRoots: [join(ROOT, 'node_modules/@types')] }
    const project = join(folder, 'tsconfig.json')
    await writeFile(project, JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), compilerOptions, include: ['**/*.ts', join(ROOT, 'kernel/**/*.d.ts')], exclude: [] }))
    const { code, printed } = await ran(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', project], {})
    assert.equal(code, 0, printed)
  })
})

async function pluginIn(folder: string, name: string): Promise<Plugin> {
  const module = (await import(pathToFileURL(join(folder, name, 'index.ts')).href)) as { default: Plugin }
  return module.default
}

async function ran(command: string, args: readonly string[], env: Readonly<Record<string, string | undefined>>): Promise<{ code: number; printed: string }> {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  for (const output of [child.stdout, child.stderr]) output.on('data', (chunk: Buffer) => (printed += String(chunk)))
  const [code] = (await once(child, 'close')) as [number]
  return { code, printed }
}
