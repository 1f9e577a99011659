/** What becomes of the memory that the start has used. In a process of its own, since nobody else's garbage may count. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

const LEFTOVERS = new URL('../../kernel/leftovers.mjs', import.meta.url).href
const MB = 1024 * 1024
const SCRIPT = `
  import v8 from 'node:v8'
  import vm from 'node:vm'
  import { dropLeftovers } from '${LEFTOVERS}'
  const young = () => v8.getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size
  let used = Array.from({ length: 400_000 }, (_, at) => ({ at }))
  const before = young()
  used = undefined
  dropLeftovers()
  console.log(JSON.stringify({ before, after: young(), exposed: typeof gc + vm.runInNewContext('typeof gc') }))
`

test('a young generation that the start made large is small again, and nobody is given the collector', () => {
  const said = execFileSync(process.execPath, ['--input-type=module', '--eval', SCRIPT], { encoding: 'utf8' })
  const { before, after, exposed } = JSON.parse(said) as { before: number; after: number; exposed: string }
  assert.ok(before >= 8 * MB && after <= 2 * MB, `it was ${before / MB} MB and is ${after / MB} MB`)
  assert.equal(exposed, 'undefinedundefined')
})
