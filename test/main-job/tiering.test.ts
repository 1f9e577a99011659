/** When V8 optimises: not while the gateway starts, and as ever once it listens. In a process of its own, since V8 has one set of flags. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

const TIERING = new URL('../../kernel/tiering.mjs', import.meta.url).href
/** A function is called until V8 has optimised it or has clearly not. */
const SCRIPT = `
  import { startWithoutOptimizing } from '${TIERING}'
  const isOptimized = (asked) => (%GetOptimizationStatus(asked) & 16) !== 0
  function add(a, b) { return a + b }
  function becomesOptimized(turns) {
    for (let turn = 0; turn < turns; turn += 1) {
      for (let at = 0; at < 10_000; at += 1) add(turn, at)
      if (isOptimized(add)) return true
    }
    return false
  }
  // Else it would be optimised instead, with the other inside.
  %NeverOptimizeFunction(becomesOptimized)
  const optimize = startWithoutOptimizing()
  const during = becomesOptimized(1000)
  optimize()
  console.log(JSON.stringify({ during, after: becomesOptimized(100_000) }))
`

test('nothing is optimised during the start, and what runs hot afterwards is', () => {
  const flags = ['--allow-natives-syntax', '--input-type=module']
  const said = execFileSync(process.execPath, [...flags, '--eval', SCRIPT], { encoding: 'utf8' })
  assert.deepEqual(JSON.parse(said), { during: false, after: true })
})
