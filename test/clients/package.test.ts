/** The package of the TypeScript client as others install it: a copy below `node_modules`, where nobody strips types. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gatewayFor } from '../main-job/started.ts'

const run = promisify(execFile)
const PACK = fileURLToPath(new URL('../../clients/typescript/pack.mjs', import.meta.url))
const PROGRAM = `
import { OpenClawClient } from '@openclaw/sdk'
const client = new OpenClawClient({ baseUrl: process.env.URL, token: process.env.TOKEN })
console.log((await client.message('Hello!')).content)
`

test('the packed client runs as a copy under the name that programs import, and is JavaScript with types', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'isopod-client-'))
  t.after(() => rm(folder, { recursive: true }))
  const installed = join(folder, 'node_modules', '@openclaw', 'sdk')
  await mkdir(join(folder, 'node_modules', '@openclaw'), { recursive: true })
  await run(process.execPath, [PACK, installed])
  await writeFile(join(folder, 'program.mjs'), PROGRAM)
  const { url, token } = await gatewayFor(t)
  const { stdout } = await run(process.execPath, ['program.mjs'], { cwd: folder, env: { URL: url, TOKEN: token } })
  assert.match(stdout, /You said: Hello!/)
  assert.match(await readFile(join(installed, 'index.d.ts'), 'utf8'), /OpenClawClient/)
})
