import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { GENERATED, pages } from '../../docs/generate.ts'

describe('the generated pages', () => {
  it('say what the code says now: `npm run docs` writes them', async () => {
    for (const [name, text] of await pages()) {
      assert.equal(await readFile(new URL(name, GENERATED), 'utf8'), text, `docs/generated/${name} is stale`)
    }
  })

  it('are all of the pages there', async () => {
    assert.deepEqual((await readdir(GENERATED)).sort(), [...(await pages()).keys()].sort())
  })
})
