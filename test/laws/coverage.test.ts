/** Holds the requirements against the tests that cite them. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { NOT_YET_COVERED } from '../not-yet-covered.ts'
import { REQUIREMENTS } from '../requirements.ts'
import { ROOT } from './sources.ts'

/** Every id that a test or a transcript says it verifies. */
function citedIds(): Set<string> {
  const files = ['test', 'plugins', 'fixtures'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => !file.includes('node_modules') && /\.test\.ts$|\.json$/.test(file))
      .map((file) => join(ROOT, folder, file)),
  )
  const cited = new Set<string>()
  for (const file of files) {
    const text = readFileSync(file, 'utf8')
    for (const [, called, listed] of text.matchAll(/\bverifies\(([^)]*)\)|"verifies":\s*\[([^\]]*)\]/g)) {
      for (const [, id = ''] of (called ?? listed ?? '').matchAll(/['"]([^'"]+)['"]/g)) cited.add(id)
    }
  }
  return cited
}

describe('the requirements of the documents', () => {
  const cited = citedIds()
  const known = Object.keys(REQUIREMENTS)

  it('are each proved by a test, or listed as not yet covered', () => {
    assert.deepEqual(known.filter((id) => !cited.has(id) && !(id in NOT_YET_COVERED)), [])
  })

  it('are not listed as not yet covered once a test proves them', () => {
    assert.deepEqual(Object.keys(NOT_YET_COVERED).filter((id) => cited.has(id)), [])
  })

  it('are the only ones that tests cite', () => {
    assert.deepEqual([...cited].filter((id) => !known.includes(id)), [])
  })
})
