/** The TypeScript client is the same in Node and in a browser: nothing is in it that only one of them has. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { importsOf, ROOT } from '../laws/sources.ts'

const FOLDER = 'clients/typescript'
const FILES = readdirSync(join(ROOT, FOLDER)).filter((file) => file.endsWith('.ts'))

describe('the sources of the TypeScript client', () => {
  it('import each other and nothing else', () => {
    const imports = FILES.flatMap((file) => importsOf(`${FOLDER}/${file}`))
    assert.ok(imports.length > 20, `${imports.length} imports`)
    const foreign = imports.filter(({ specifier }) => !FILES.includes(specifier.replace('./', '')))
    assert.deepEqual(foreign.map(({ file, specifier }) => `${file} imports ${specifier}`), [])
  })

  it('are correct where there are the types of a browser and none of Node', async () => {
    // It prints what is wrong, and then fails.
    const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', FOLDER], { cwd: ROOT }).catch((failed: { stdout: string }) => failed)
    assert.equal(stdout, '')
  })
})
